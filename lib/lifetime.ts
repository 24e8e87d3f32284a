import type { Cookie, CookieData } from './cookies/cookie.js';

/** The options that bound a session's life; all in milliseconds. */
export interface LifetimeLimits {
  /** Idle time after which a session whose cookie has no end is dropped. */
  ttl: number;
  /** Age at which a session ends, however busy; 0: never. */
  absoluteTimeout: number;
  /** How old a touch must be before the next one is worth a write; 0: any. */
  touchAfter: number;
  /** Age of an id at which the session gets a new one; 0: never. */
  rotateAfter: number;
}

// The clock is looked at only where the time matters: with most options it doesn't, and a dozen looks are 5 % of a read.

/** Notes when the session began, if an option needs to know. */
export function noteBeginning(cookie: Cookie, { absoluteTimeout, rotateAfter }: LifetimeLimits): void {
  if (absoluteTimeout > 0) cookie.createdAt = Date.now();
  if (rotateAfter > 0) cookie.rotatedAt = Date.now();
}

/** A session of unknown age, written by express-session say, counts as begun now. @returns whether it was one */
export function dateIfUndated(cookie: Cookie, { absoluteTimeout }: LifetimeLimits): boolean {
  if (absoluteTimeout === 0 || timeOf(cookie.createdAt) !== undefined) return false;
  cookie.createdAt = Date.now();
  return true;
}

/** Whether the session's id has served long enough. One of unknown age has. */
export function rotationIsDue(cookie: Cookie, { rotateAfter }: LifetimeLimits): boolean {
  return rotateAfter > 0 && Date.now() - (timeOf(cookie.rotatedAt) ?? 0) >= rotateAfter;
}

/** To be called whenever the cookie's lifetime has started anew: notes it, and lets no cookie outlive its session. */
export function limit(cookie: Cookie, limits: LifetimeLimits): void {
  if (limits.touchAfter > 0) cookie.touchedAt = Date.now();
  const end = absoluteEnd(cookie, limits);
  const { expires } = cookie;
  if (end !== undefined && expires instanceof Date && expires.getTime() > end)
    cookie._expires = new Date(end);
}

/** For how long the session goes on after a request that prolongs it, in milliseconds. */
export function idleTimeOf({ originalMaxAge }: Partial<CookieData>, { ttl }: LifetimeLimits): number {
  return timeOf(originalMaxAge) ?? ttl;
}

/** When the store may forget the session, in whole epoch milliseconds: some databases take no others. */
export function expiryOf(cookie: Cookie | undefined, limits: LifetimeLimits, now: number): number {
  const idleEnd = idleEndOf(cookie, limits, now);
  return Math.trunc(Math.min(idleEnd, (cookie && absoluteEnd(cookie, limits)) ?? idleEnd));
}

/**
 * When the session ends if no further request comes.
 * @param prolongs whether this request starts its idle time anew, which then is to be counted from now
 */
export function endAfter(cookie: Cookie, limits: LifetimeLimits, prolongs: boolean): number {
  const now = Date.now();
  const idleEnd = prolongs
    ? now + (timeOf(cookie.originalMaxAge) ?? limits.ttl)
    : keptEnd(cookie, limits, now);
  return Math.trunc(Math.min(idleEnd, absoluteEnd(cookie, limits) ?? idleEnd));
}

function keptEnd(cookie: Cookie, limits: LifetimeLimits, now: number): number {
  const end = idleEndOf(cookie, limits, now);
  return cookie.expires instanceof Date ? end : (timeOf(cookie.touchedAt) ?? now) + limits.ttl;
}

/**
 * A stored end that has passed, of a session that is still there, is an old one: touches prolong the store's expiry and
 * leave the record as it is.
 */
function idleEndOf(cookie: Cookie | undefined, { ttl }: LifetimeLimits, now: number): number {
  const expires: unknown = cookie?.expires;
  const end = expires instanceof Date ? expires.getTime() : Number.NaN;
  if (Number.isNaN(end)) return now + ttl;
  const idleTime = timeOf(cookie?.originalMaxAge) ?? 0;
  return end <= now && idleTime > 0 ? now + idleTime : end;
}

/** Whether the session has lived as long as any may. Its idle time is the store's business. */
export function isOver(cookie: Cookie, limits: LifetimeLimits): boolean {
  const end = absoluteEnd(cookie, limits);
  return end !== undefined && end <= Date.now();
}

/** Whether the last touch is so old, or so little known, that it is time for another. */
export function touchIsDue(cookie: Cookie, { touchAfter }: LifetimeLimits): boolean {
  const touchedAt = timeOf(cookie.touchedAt);
  if (touchAfter === 0 || touchedAt === undefined) return true;
  const age = Date.now() - touchedAt;
  return age < 0 || age >= touchAfter;
}

function absoluteEnd(cookie: Cookie, { absoluteTimeout }: LifetimeLimits): number | undefined {
  const createdAt = timeOf(cookie.createdAt);
  return absoluteTimeout === 0 || createdAt === undefined ? undefined : createdAt + absoluteTimeout;
}

/** Stored bytes are not trusted to hold a number. */
function timeOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
