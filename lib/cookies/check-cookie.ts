import { serialize } from 'cookie';
import { badOption, describe, oneOf } from '../option-checks.js';
import type { CookieOptions } from './cookie.js';

// The option `cookie`, checked at start. Refused is what no browser would ever be sent, with express-session neither.

/** What a Date can hold, in milliseconds (ECMA-262 section 21.4.1.1). */
const LAST = 8.64e15;

/** @throws TypeError for attributes with which no cookie can be sent, or no request is served */
export function checkCookie(cookie: CookieOptions): void {
  const { sameSite, priority, path, domain } = cookie;
  if (sameSite)
    oneOf('cookie.sameSite', lowerCased(sameSite), [true, 'lax', 'strict', 'none', 'auto'], sameSite);
  if (priority) oneOf('cookie.priority', lowerCased(priority), ['low', 'medium', 'high'], priority);
  checkLifetime(cookie);
  if (path) checkPath(path);
  if (domain) checkDomain(domain);
}

/** Browsers drop cookies that break the promise of their name (RFC 6265bis section 4.1.3). */
export function checkPrefix(name: string, { secure, path = '/', domain }: CookieOptions): void {
  const prefix = /^__(secure|host)-/i.exec(name)?.[0].toLowerCase();
  if (prefix && !secure) throw badOption('cookie.secure', secure, `true for a cookie called ${name}`);
  if (prefix !== '__host-') return;
  if (path !== '/') throw badOption('cookie.path', path, `'/' for a cookie called ${name}`);
  if (domain) throw badOption('cookie.domain', domain, `left out for a cookie called ${name}`);
}

/** How long a session of these cookies is kept without a request, if they say so by a number of milliseconds. */
export function lifetimeOf(cookie: CookieOptions): number | undefined {
  const { maxAge } = cookie;
  return lastLifetime(cookie) === 'maxAge' && typeof maxAge === 'number' ? maxAge : undefined;
}

/** Of `maxAge` and `expires` the one that is written last counts, so that the other may be anything that can be set. */
function checkLifetime(cookie: CookieOptions): void {
  const { maxAge, expires } = cookie;
  if (maxAge && typeof maxAge !== 'number' && !isDate(maxAge))
    throw badOption('cookie.maxAge', maxAge, 'a number of milliseconds');
  const last = lastLifetime(cookie);
  if (last === 'maxAge' && !isLifetime(maxAge))
    throw badOption('cookie.maxAge', maxAge, 'a number of milliseconds that leads to a date');
  if (last === 'expires' && !isLifetime(expires))
    throw badOption('cookie.expires', expires, `a valid Date${dateMeant(expires)}`);
}

function lastLifetime(cookie: CookieOptions): 'maxAge' | 'expires' | undefined {
  let last: 'maxAge' | 'expires' | undefined;
  for (const key in cookie) if (key === 'maxAge' || key === 'expires') last = key;
  return last;
}

/** As in express-session: nothing, a time, or a number of milliseconds from now, for `expires` too. */
function isLifetime(value: unknown): boolean {
  if (typeof value === 'number') return Math.abs(Date.now() + value) <= LAST;
  return isDate(value) ? !Number.isNaN(value.getTime()) : !value;
}

function isDate(value: unknown): value is Date {
  return value instanceof Date;
}

function dateMeant(value: unknown): string {
  if (typeof value !== 'string' || Number.isNaN(Date.parse(value))) return '';
  return ` (did you mean new Date(${describe(value)})?)`;
}

/** Requests are for paths that begin with a slash: with any other path none has a session. */
function checkPath(path: unknown): void {
  const allowed = "a path that begins with '/'";
  if (typeof path !== 'string') throw badOption('cookie.path', path, allowed);
  if (!path.startsWith('/')) {
    const meant = `/${path}`;
    const hint = canBeSent({ path: meant }) ? ` (did you mean ${describe(meant)}?)` : '';
    throw badOption('cookie.path', path, allowed + hint);
  }
  if (!canBeSent({ path })) throw badOption('cookie.path', path, `${allowed}, in ASCII and without ';'`);
}

function checkDomain(domain: unknown): void {
  const allowed = 'the name of a host';
  if (typeof domain !== 'string') throw badOption('cookie.domain', domain, allowed);
  if (canBeSent({ domain })) return;
  const [meant = ''] = domain.replace(/^[a-z]+:\/\/|^\*\.?/i, '').split(/[:/]/, 1);
  const hint = meant && canBeSent({ domain: meant }) ? ` (did you mean ${describe(meant)}?)` : '';
  throw badOption('cookie.domain', domain, allowed + hint);
}

/** Asks the very function that makes the cookies. */
function canBeSent(attributes: { path?: string; domain?: string }): boolean {
  try {
    serialize('name', 'value', attributes);
    return true;
  } catch {
    return false;
  }
}

function lowerCased<T>(value: T): T {
  return (typeof value === 'string' ? value.toLowerCase() : value) as T;
}
