import { serialize } from 'cookie';
import depd from 'depd';

const deprecate = depd('express-session');

/** The attributes of the session cookie (RFC 6265bis section 4.1.2). */
export interface CookieOptions {
  /**
   * Lifetime in milliseconds, counted from each response that sends the cookie; also how long the session is kept
   * without a request. `null` or absent: until the browser is closed.
   */
  maxAge?: number | null | undefined;
  /** A fixed end of life. Prefer `maxAge`; when both are given the one written last counts. */
  expires?: Date | null | undefined;
  /** Paths that get the cookie, and the only ones on which the middleware works. Default `/`. */
  path?: string | undefined;
  /** Hosts that get the cookie. Default: only the host that set it. */
  domain?: string | undefined;
  /** `true` (default): scripts in the page can't read the cookie. */
  httpOnly?: boolean | undefined;
  /** `true`: sent over HTTPS only, and set over HTTPS only. `'auto'`: as the request that creates the session was. Default `false`. */
  secure?: boolean | 'auto' | undefined;
  /** Which cross-site requests carry the cookie. `true` is `'strict'`; `'auto'` is `'none'` over HTTPS and `'lax'` otherwise. Default: no attribute. */
  sameSite?: boolean | 'lax' | 'strict' | 'none' | 'auto' | undefined;
  /** `true`: one cookie jar for each top-level site (CHIPS); needs `secure`. Default `false`. */
  partitioned?: boolean | undefined;
  /** What the browser drops last when its jar is full. Default: no attribute. */
  priority?: 'low' | 'medium' | 'high' | undefined;
  /** Ignored; accepted since express-session's types have it. */
  signed?: boolean | undefined;
  /** Ignored; accepted since express-session's types have it. */
  encode?: ((value: string) => string) | undefined;
}

/** What a {@link Cookie} stores and serializes. */
export interface CookieData {
  originalMaxAge: number | null;
  partitioned: boolean | undefined;
  priority: 'low' | 'medium' | 'high' | undefined;
  expires: Date | null | undefined;
  secure: boolean | 'auto' | undefined;
  httpOnly: boolean | undefined;
  domain: string | undefined;
  path: string | undefined;
  sameSite: boolean | 'lax' | 'strict' | 'none' | 'auto' | undefined;
  /** When the session began, in epoch milliseconds; there only with options that need it. */
  createdAt?: number;
  /** When the session's lifetime was last started anew, in epoch milliseconds; there only with options that need it. */
  touchedAt?: number;
  /** When the session got its present id, in epoch milliseconds; there only with options that need it. */
  rotatedAt?: number;
}

/** Kept with the cookie, where neither the app's data nor an express-session that reads the record is disturbed. */
const TIMES = ['createdAt', 'touchedAt', 'rotatedAt'] as const;

/** All that an app can set of a cookie at one moment, but its end, which moves with each response. */
export interface Attributes {
  readonly originalMaxAge?: unknown;
  readonly path?: unknown;
  readonly domain?: unknown;
  readonly httpOnly?: unknown;
  readonly secure?: unknown;
  readonly sameSite?: unknown;
  readonly partitioned?: unknown;
  readonly priority?: unknown;
  readonly createdAt?: unknown;
}

/** Those that were asked for last: most cookies have the same, which then need no object of their own, of 100 bytes. */
let latest: Attributes | undefined;

export function attributesOf(cookie: Cookie): Attributes {
  if (latest && haveSameAttributes(latest, cookie)) return latest;
  const { originalMaxAge, path, domain, httpOnly, secure, sameSite, partitioned, priority, createdAt } =
    cookie;
  latest = { originalMaxAge, path, domain, httpOnly, secure, sameSite, partitioned, priority, createdAt };
  return latest;
}

export function haveSameAttributes(a: Attributes, b: Attributes): boolean {
  return (
    a.originalMaxAge === b.originalMaxAge &&
    a.path === b.path &&
    a.domain === b.domain &&
    a.httpOnly === b.httpOnly &&
    a.secure === b.secure &&
    a.sameSite === b.sameSite &&
    a.partitioned === b.partitioned &&
    a.priority === b.priority &&
    a.createdAt === b.createdAt
  );
}

/** Names that a stored cookie must not bring along: they would replace our methods or the prototype, or are not the app's business. */
const NOT_ATTRIBUTES: ReadonlySet<string> = new Set([
  'rotatedFrom',
  'data',
  '__proto__',
  'constructor',
  'serialize',
  'toJSON',
]);

/** The cookie of one session: `req.session.cookie`. */
export class Cookie {
  path: string | undefined = '/';
  declare _expires: Date | null | undefined;
  /** The `maxAge` that {@link Session.touch} goes back to, in milliseconds; `null` for a browser-session cookie. */
  declare originalMaxAge: number | null;
  declare httpOnly: boolean | undefined;
  declare secure?: boolean | 'auto' | undefined;
  declare sameSite?: boolean | 'lax' | 'strict' | 'none' | 'auto' | undefined;
  declare domain?: string | undefined;
  declare partitioned?: boolean | undefined;
  declare priority?: 'low' | 'medium' | 'high' | undefined;
  declare signed?: boolean | undefined;
  declare createdAt?: number;
  declare touchedAt?: number;
  declare rotatedAt?: number;

  /** @throws TypeError when `options` is something other than an object. */
  constructor(options?: CookieOptions | Partial<CookieData> | null) {
    this._expires = null;
    this.originalMaxAge = null;
    this.httpOnly = true;
    if (options) {
      if (typeof options !== 'object') throw new TypeError('argument options must be a object');
      for (const key in options) {
        if (!NOT_ATTRIBUTES.has(key))
          (this as Record<string, unknown>)[key] = options[key as keyof typeof options];
      }
    }
    if (this.originalMaxAge === undefined || this.originalMaxAge === null) {
      this.originalMaxAge = this.maxAge as number | null;
    }
  }

  /** When the cookie ends; `null` or `false`: when the browser is closed. Setting it also sets `originalMaxAge`. */
  get expires(): Date | null | undefined {
    return this._expires;
  }

  set expires(date: Date | null | false | undefined) {
    this._expires = date as Date | null | undefined;
    this.originalMaxAge = this.maxAge as number | null;
  }

  /** Remaining lifetime in milliseconds; `null` for a browser-session cookie. */
  get maxAge(): number | null | undefined {
    const expires: unknown = this.expires;
    return expires instanceof Date ? expires.valueOf() - Date.now() : (expires as null | undefined);
  }

  set maxAge(ms: number | Date | null | undefined) {
    if (ms && typeof ms !== 'number' && !(ms instanceof Date)) {
      throw new TypeError('maxAge must be a number or Date');
    }
    if (ms instanceof Date) deprecate('maxAge as Date; pass number of milliseconds instead');
    if (typeof ms !== 'number') {
      this.expires = ms;
      return;
    }
    const now = Date.now();
    this.expires = new Date(now + ms);
    // not `maxAge`, of which a millisecond may have passed: request by request, that would add up
    this.originalMaxAge = (this._expires as Date).getTime() - now;
  }

  /** The attributes as plain data, in the order in which they are stored. */
  get data(): CookieData {
    const data: CookieData = {
      originalMaxAge: this.originalMaxAge,
      partitioned: this.partitioned,
      priority: this.priority,
      expires: this._expires,
      secure: this.secure,
      httpOnly: this.httpOnly,
      domain: this.domain,
      path: this.path,
      sameSite: this.sameSite,
    };
    for (const time of TIMES) {
      if (this[time] !== undefined) data[time] = this[time];
    }
    return data;
  }

  /**
   * The Set-Cookie text for `value`.
   * @throws TypeError when an attribute can't be sent, such as an invalid date.
   */
  serialize(name: string, value: string): string {
    return setCookieText(name, value, this.data);
  }

  toJSON(): CookieData {
    return this.data;
  }
}

/** As express-session's, so that `for...in` finds them: some apps copy cookies by it. */
for (const name of ['expires', 'maxAge', 'data', 'serialize', 'toJSON']) {
  Object.defineProperty(Cookie.prototype, name, { enumerable: true });
}
/** Nor has express-session's: in a log, or to a strict comparison, a cookie is a plain object. */
delete (Cookie.prototype as { constructor?: unknown }).constructor;

const { __lookupGetter__: getterOf } = Object.prototype as unknown as {
  __lookupGetter__(name: string): (() => unknown) | undefined;
};
const plainData = getterOf.call(Cookie.prototype, 'data');

/** Whether the app has not replaced what gives a cookie's `data`. A property's descriptor would be an object. */
export function hasPlainData(cookie: Cookie): boolean {
  return getterOf.call(cookie, 'data') === plainData;
}

/**
 * The Set-Cookie text of a cookie with this `data`; without any, it has no attributes.
 * @throws TypeError when an attribute can't be sent, such as an invalid date.
 */
export function setCookieText(name: string, value: string, data: CookieData | undefined): string {
  for (const option of ['path', 'domain'] as const) {
    // stored bytes are not trusted to hold text
    if (data?.[option] && typeof data[option] !== 'string')
      throw new TypeError(`option ${option} is invalid`);
  }
  return serialize(name, value, data as Parameters<typeof serialize>[2]);
}

/** The cookie of a stored session. `data` is not trusted to hold what it should. */
export function restoreCookie(data: Partial<CookieData>): Cookie {
  if (data === latestData && latestRestored) return copyOf(latestRestored);
  const cookie = restore(data);
  if (data !== latestData && Object.isFrozen(data)) {
    latestData = data;
    latestRestored = isCommon(cookie) ? copyOf(cookie) : undefined;
  }
  return cookie;
}

/** What was restored last, of data that can't change: to copy it, if it is a common one, takes 0.2 us less, 4 % of a read. */
let latestData: object | undefined;
let latestRestored: Cookie | undefined;

const ALWAYS = ['path', '_expires', 'originalMaxAge', 'httpOnly'];
const COMMON = [
  ALWAYS,
  [...ALWAYS, 'secure'],
  [...ALWAYS, 'sameSite'],
  [...ALWAYS, 'secure', 'sameSite'],
].map(String);

/** Whether it has no properties but those that {@link copyOf} copies, and in that order. */
function isCommon(cookie: Cookie): boolean {
  return cookie._expires === null && COMMON.includes(String(Object.keys(cookie)));
}

function copyOf(cookie: Cookie): Cookie {
  const copy = new Cookie();
  copy.path = cookie.path;
  copy.originalMaxAge = cookie.originalMaxAge;
  copy.httpOnly = cookie.httpOnly;
  if (cookie.secure !== undefined) copy.secure = cookie.secure;
  if (cookie.sameSite !== undefined) copy.sameSite = cookie.sameSite;
  return copy;
}

function restore(data: Partial<CookieData>): Cookie {
  const expires = data.expires; // of a record without a cookie: the error that express-session gives
  const { originalMaxAge } = data;
  const cookie = new Cookie(data);
  if (typeof expires === 'string') cookie.expires = new Date(expires);
  cookie.originalMaxAge = originalMaxAge as number | null; // setting `expires` has overwritten it with what is left
  return cookie;
}

/** The Set-Cookie text that makes a browser drop a cookie: same name, path, domain and flags, an expiry long past (RFC 6265bis section 3.1). */
export function serializeExpired(name: string, cookie: Cookie): string {
  return serialize(name, '', { ...cookie.data, expires: new Date(0) } as Parameters<typeof serialize>[2]);
}
