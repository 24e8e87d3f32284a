const HELP = 'https://github.com/steady-session/steady-session/blob/main/docs/codes.md';

/** The link to a code's entry in docs/codes.md: what happened, why it matters, how to fix it. */
export function helpLink(code: string): string {
  return `${HELP}#${code.toLowerCase()}`;
}

/** What a store has failed with: some reject with nothing. */
export function reasonOf(error: unknown): unknown {
  return error || new Error('the session store failed without an error');
}

/**
 * Every error that this package itself raises at run time, but for those that express-session has too ("failed to load session")
 * and that of a store which fails without one.
 */
export class SteadyError extends Error {
  /** Stable and machine-readable, such as `ERR_SESSION_STORE_TIMEOUT`. */
  readonly code: string;
  /** Link to the code's entry in the documentation. */
  readonly help: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SteadyError';
    this.code = code;
    this.help = helpLink(code);
  }
}
