import { parseObject } from './backend.js';

/** A session as callback stores know it: data with a cookie. */
export type ConnectSession = Record<string, unknown>;

type CookieData = Record<string, unknown>;

/** How a store is told when a session expires. See `ConnectStoreOptions`. */
export interface Expiry {
  /** Epoch ms. */
  expires: number;
  /** Lives are rounded up to this many ms. */
  unit: number;
  /** Whether the cookie is stored exactly as it was given, or with its expiry moved to `expires`. */
  verbatim: boolean;
}

/**
 * The session that `text` holds, such that a store finds the expiry where express-session has it: in the `expires`,
 * `maxAge` and `originalMaxAge` of its cookie.
 */
export function sessionOf(text: string, expiry: Expiry): ConnectSession {
  return withExpiry(parseObject('fromConnectStore', text), expiry);
}

/** A copy of a session that came out of a store, with another expiry. */
export function withExpiry(session: ConnectSession, expiry: Expiry): ConnectSession {
  return { ...session, cookie: cookieUntil(givenCookie(session['cookie']), expiry) };
}

/** The text of a session that came out of a store: what was set, whatever {@link sessionOf} and the store have added. */
export function textOf(session: ConnectSession): string {
  const data: ConnectSession = { ...session, cookie: givenCookie(session['cookie']) };
  delete data['__lastAccess']; // session-file-store's own
  return JSON.stringify(data);
}

/** Whether the cookie has an expiry, which is the store's business too; a browser-session cookie has none. */
export function hasCookieExpiry(session: ConnectSession): boolean {
  return Boolean(givenCookie(session['cookie'])?.['expires']);
}

/**
 * A cookie that tells its expiry as express-session's does, and yet need not be stored with it. The JSON in the store
 * must stay what express-session writes: a browser-session cookie that came back with an `expires` would outlive the
 * browser. Where the expiry is stored, `asGiven` keeps the cookie proper.
 */
function cookieUntil(given: CookieData | undefined, { expires, unit, verbatim }: Expiry): object {
  const life = () => Math.ceil((expires - Date.now()) / unit) * unit;
  const cookie = { ...given, expires: new Date(expires), originalMaxAge: life(), asGiven: given ?? null };
  const hidden = { enumerable: false, configurable: true };
  return Object.defineProperties(cookie, {
    maxAge: { ...hidden, get: life },
    ...(verbatim && { toJSON: { ...hidden, value: () => given } }),
  });
}

/** The cookie as it was set; `undefined` if the text had none. */
function givenCookie(stored: unknown): CookieData | undefined {
  // A store may give the very object that it was given, so it is what its JSON is.
  const cookie = JSON.parse(JSON.stringify(stored) ?? 'null') as CookieData | null;
  if (cookie === null || typeof cookie !== 'object') return undefined;
  const { asGiven = cookie } = cookie as { asGiven?: CookieData | null };
  return asGiven ?? undefined;
}
