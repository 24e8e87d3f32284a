import depd from 'depd';
import type { IncomingRequest } from './context.js';
import { readCookie } from './cookie.js';
import { type Secret, unsign } from './signature.js';

const deprecate = depd('express-session');

/**
 * The session id that the request's cookie names, or `undefined` if there is no such cookie or its signature is not
 * ours. Nothing is asked of the store before that.
 */
export function identify(req: IncomingRequest, name: string, secrets: readonly Secret[]): string | undefined {
  const { cookie } = req.headers;
  const raw = cookie === undefined ? undefined : readCookie(cookie, name);
  return verified(raw, secrets) || fromCookieParser(req, name, secrets);
}

/** Older apps relied on what `cookie-parser` had read; still done, as express-session does, with a warning. */
function fromCookieParser(
  req: IncomingRequest,
  name: string,
  secrets: readonly Secret[],
): string | undefined {
  const signed = req.signedCookies?.[name];
  if (signed && typeof signed === 'string') {
    deprecate('cookie should be available in req.headers.cookie');
    return signed;
  }
  const value = verified(req.cookies?.[name], secrets);
  if (value) deprecate('cookie should be available in req.headers.cookie');
  return value;
}

/** cookie-parser makes objects of cookies that start with `j:`; those can't be ours. */
function verified(raw: unknown, secrets: readonly Secret[]): string | undefined {
  if (typeof raw !== 'string' || !raw.startsWith('s:')) return undefined;
  return unsign(raw.slice(2), secrets);
}
