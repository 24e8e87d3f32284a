import type { CookieOptions } from './cookies/cookie.js';
import type { SessionOptions } from './options.js';

/**
 * Options for new apps: every choice beyond express-session's defaults at its safe value. To be spread:
 * `session({ ...session.recommended, secret, store })`.
 */
export const recommended: Readonly<Omit<SessionOptions, 'cookie' | 'owner' | 'merge'>> & {
  readonly cookie: Readonly<CookieOptions>;
} = Object.freeze({
  resave: false,
  saveUninitialized: false,
  unset: 'destroy',
  saveFailure: 'error',
  clearCookie: true,
  concurrency: 'merge',
  trackCookie: true,
  resign: true,
  cachePrivate: true,
  expireStrays: true,
  storeUnreachable: false,
  cookie: Object.freeze({ httpOnly: true, sameSite: 'lax', secure: 'auto' } as const),
} as const);
