/** A text with its expiry, as it is kept where the back end has no expiry of its own, or a coarse one. */
export interface KeptText {
  text: string;
  /** Epoch ms. */
  expires: number;
}

/** The text in a value of a back end, unless it has expired, or something else than a {@link KeptText} is there. */
export function liveText(value: unknown): string | undefined {
  return isKeptText(value) && value.expires > Date.now() ? value.text : undefined;
}

/** What is stored is not trusted to be ours. */
export function isKeptText(value: unknown): value is KeptText {
  const { text, expires } = (value ?? {}) as Partial<Record<keyof KeptText, unknown>>;
  return typeof text === 'string' && typeof expires === 'number';
}
