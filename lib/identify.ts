import depd from 'depd';
import type { IncomingRequest } from './context.js';
import { readCookies } from './cookie.js';
import { type Secret, unsign } from './signature.js';

const deprecate = depd('express-session');

/** How many cookies of our name are looked at. A browser sends several when a parent domain or an older path set one too. */
const MOST_COOKIES = 4;

/** A session id that came in a cookie with a signature of ours. */
export interface Identity {
  id: string;
  /** It was signed by a secret that is no longer the first. */
  signedByOldSecret: boolean;
}

/**
 * The session ids that the request's cookies name, in the browser's order. Cookies whose signature is not ours are
 * left out, before the store is asked anything.
 */
export function identify(req: IncomingRequest, name: string, secrets: readonly Secret[]): Identity[] {
  const { cookie } = req.headers;
  const values = cookie === undefined ? [] : readCookies(cookie, name, MOST_COOKIES);
  const identities = values
    .map((value) => verified(value, secrets))
    .filter((identity) => identity !== undefined);
  if (identities.length > 0) return withoutRepeats(identities);
  const identity = fromCookieParser(req, name, secrets);
  return identity ? [identity] : [];
}

/** Older apps relied on what `cookie-parser` had read; still done, as express-session does, with a warning. */
function fromCookieParser(
  req: IncomingRequest,
  name: string,
  secrets: readonly Secret[],
): Identity | undefined {
  const signed = req.signedCookies?.[name];
  if (signed && typeof signed === 'string') {
    deprecate('cookie should be available in req.headers.cookie');
    return { id: signed, signedByOldSecret: false };
  }
  const identity = verified(req.cookies?.[name], secrets);
  if (identity) deprecate('cookie should be available in req.headers.cookie');
  return identity;
}

/** cookie-parser makes objects of cookies that start with `j:`; those can't be ours. */
function verified(raw: unknown, secrets: readonly Secret[]): Identity | undefined {
  if (typeof raw !== 'string' || !raw.startsWith('s:')) return undefined;
  const result = unsign(raw.slice(2), secrets);
  return result && result.value !== ''
    ? { id: result.value, signedByOldSecret: result.secret > 0 }
    : undefined;
}

function withoutRepeats(identities: Identity[]): Identity[] {
  return identities.filter((identity, at) => identities.findIndex(({ id }) => id === identity.id) === at);
}
