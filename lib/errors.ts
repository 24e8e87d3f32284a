import { types } from 'node:util';
import { describe } from './option-checks.js';

const HELP = 'https://github.com/steady-session/steady-session/blob/main/docs/codes.md';

/** The link to a code's entry in docs/codes.md: what happened, why it matters, how to fix it. */
export function helpLink(code: string): string {
  return `${HELP}#${code.toLowerCase()}`;
}

/** Every error that this package itself raises at run time, but for those that express-session has too ("failed to load session"). */
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

/** What an error says; anything can be thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What a store has failed with, as an `Error`: some give a text, which may be a command to Express (`next('route')`), or nothing. */
export function asError(reason: unknown): Error {
  // An error of another realm (a vm context, as Jest's) is no instance of this realm's Error.
  if (reason instanceof Error || types.isNativeError(reason)) return reason;
  const what = reason === undefined || reason === null ? 'without a reason' : `with ${describe(reason)}`;
  return new SteadyError('ERR_SESSION_STORE_FAILED', `the session store failed ${what}`, { cause: reason });
}
