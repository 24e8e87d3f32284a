import { SteadyError } from '../errors.js';
import { printable } from './printable.js';

const LONGEST = 300;

/**
 * An error in a few words. Messages that are not this package's may quote anything, such as a record or a connection
 * string: of those only the name and the code are told.
 */
export function toldError(error: unknown): string {
  if (!(error instanceof Error)) return 'an error that is no Error object';
  const { code } = error as NodeJS.ErrnoException;
  const text = error instanceof SteadyError ? withoutQuote(error) : String(error.name);
  return printable(typeof code === 'string' ? `${code}: ${text}` : text, LONGEST);
}

/** The stores end their messages in the database's own, in parentheses. */
function withoutQuote({ message, cause }: SteadyError): string {
  return cause === undefined ? message : message.replace(/ \(.*$/s, '');
}
