import { type ConformanceOptions, conformance } from '../../lib/conformance/index.js';

export type KitOptions = Omit<ConformanceOptions, 'test' | 'it'>;

export interface Verdict {
  name: string;
  error?: Error;
}

/** The kit's checks for a store, by name, not yet run. */
export function declared(options: KitOptions): Map<string, () => Promise<void>> {
  const checks = new Map<string, () => Promise<void>>();
  conformance({
    ...options,
    test: (name, body) => {
      if (checks.has(name)) throw new Error(`two checks are called ${name}`);
      checks.set(name, body);
    },
  });
  return checks;
}

/** The names of the checks that fail over a store, all run at once. */
export async function failing(options: KitOptions): Promise<string[]> {
  const verdicts = [...declared(options)].map(async ([name, body]) => ((await errorOf(body)) ? [name] : []));
  return (await Promise.all(verdicts)).flat();
}

/** What one check says of a store: its error, or `undefined` when the store passes. */
export function verdict(name: string, options: KitOptions): Promise<Error | undefined> {
  const body = declared(options).get(name);
  if (!body) throw new Error(`no check is called ${name}`);
  return errorOf(body);
}

function errorOf(body: () => Promise<void>): Promise<Error | undefined> {
  return body().then(
    () => undefined,
    (error: Error) => error,
  );
}
