import parseUrl from 'parseurl';
import { adviseOnCookieSize, adviseOnInsecureCookie, adviseOnWithheldCookie } from '../advice.js';
import { type Cookie, serializeExpired } from '../cookies/cookie.js';
import { setCookieLine } from '../cookies/cookie-text.js';
import { encodedValue } from '../cookies/cookie-value.js';
import type { Secret } from '../cookies/signature.js';
import { expireStrays } from '../cookies/stray-cookies.js';
import { cookieAction } from '../lifecycle.js';
import type { Session } from '../session.js';
import type { IncomingRequest, SessionContext } from './context.js';
import { hasStrays, tell } from './facts.js';
import { touch } from './touching.js';

// The headers leave: what they tell the browser.

const NO_LINES: readonly string[] = [];

export function setCookies(context: SessionContext, unwatched: boolean): readonly string[] {
  context.headersLeft = true;
  if (!context.begun || context.abandoned || context.isUntouched) return NO_LINES;
  try {
    const line = cookieLine(context, unwatched);
    if (line === undefined) return NO_LINES;
    return hasStrays(context) ? [...strayLines(context), line] : [line];
  } catch (error) {
    context.failAfterwards(error);
    return NO_LINES;
  }
}

function cookieLine(context: SessionContext, unwatched: boolean): string | undefined {
  const session = context.current();
  // no need to look at the data again if no code of the app's has run since the commit
  const text = (unwatched && context.history.committedText) || (session && context.dataOf(session));
  const facts = context.facts.about(session, text);
  const action = cookieAction(facts, context.core.policy);
  const cookie = action === 'expire' ? context.lastCookie : session?.cookie;
  const withheld = action !== 'nothing' && isWithheld(context, cookie);
  if (context.core.decisions.areObserved) tell(context, facts, { what: 'cookie', action, withheld });
  if (action === 'nothing' || !cookie) return undefined;
  if (withheld) {
    adviseOnWithheldCookie();
    return undefined;
  }
  const { cookieStart, settings } = context.core;
  const { name } = settings;
  if (action === 'expire') return serializeExpired(name, cookie);
  touch(context, session as Session);
  const line = setCookieLine(cookieStart, cookieValue(context), cookie);
  context.cookieSent = true;
  adviseOnCookieSize(name, line);
  if (!cookie.secure) adviseOnInsecureCookie(context.core, context.req);
  return line;
}

/** Whether the request's connection is none for a secure cookie. */
export function isWithheld({ core, req }: SessionContext, cookie: Cookie | undefined): boolean {
  return Boolean(cookie?.secure) && !core.isSecure(req);
}

/** As it came in the cookie, unless it is new or was signed by an old secret. */
function cookieValue({ core, req, identity }: SessionContext): string {
  const id = req.sessionID;
  if (identity?.id === id && identity.value && !identity.signedByOldSecret) return identity.value.encoded;
  const { secrets } = core.settings;
  return encodedValue(id, (secrets ? secrets[0] : (req as IncomingRequest).secret) as Secret);
}

/** All cookies of ours but the one in this response; the one in use may be any of them. */
function strayLines(context: SessionContext): readonly string[] {
  const { settings } = context.core;
  const cookie = context.current()?.cookie ?? context.lastCookie;
  if (!cookie) return NO_LINES;
  const { host = '' } = context.req.headers;
  return expireStrays(settings.name, cookie, host, parseUrl.original(context.req)?.pathname ?? '/');
}
