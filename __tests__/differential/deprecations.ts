export interface Deprecation {
  namespace: string;
  message: string;
}

/** Takes the deprecations and warnings of a file's tests off stderr. */
export function ignoreWarnings(): void {
  const listener = () => undefined;
  let emitWarning: jest.SpyInstance;
  beforeAll(() => {
    process.on('deprecation' as never, listener as never);
    emitWarning = jest.spyOn(process, 'emitWarning').mockImplementation();
  });
  afterAll(() => {
    process.off('deprecation' as never, listener as never);
    emitWarning.mockRestore();
  });
}

/** Runs something and returns the deprecations that it led to, as an app that listens for them gets them. */
export async function deprecationsOf(run: () => unknown): Promise<Deprecation[]> {
  const heard: Deprecation[] = [];
  const listener = ({ namespace, message }: Deprecation) => void heard.push({ namespace, message });
  process.on('deprecation' as never, listener as never);
  try {
    await run();
  } finally {
    process.off('deprecation' as never, listener as never);
  }
  return heard;
}
