import { compact, compactJson } from './compact.js';
import { Cookie, type CookieData, haveSameAttributes } from './cookies/cookie.js';
import { cookieJson, isTimeless, plainCookie } from './cookies/cookie-text.js';
import { hasToJson } from './json-form.js';
import { changedText, matchesText } from './matches-text.js';
import type { SessionRecord } from './merge.js';

/**
 * The session that a stored text holds, or `undefined` when it holds none: not JSON, not an object, or without the
 * `cookie` object that every session has. Stored bytes are not trusted to be ours.
 */
export function parseRecord(text: string): SessionRecord | undefined {
  const record = parseObject(text);
  return record && isObject(record['cookie']) ? record : undefined;
}

/** A session as text, and the cookie and the {@link dataText} in it. */
export interface WholeText {
  readonly record: string;
  readonly cookieText: string;
  readonly data: string;
}

/** A stored session of which only the cookie has been read. */
export class UnreadRecord implements WholeText {
  readonly record: string;
  readonly cookieText: string;
  readonly cookie: Readonly<Record<string, unknown>>;
  readonly data: string;

  private constructor(record: string, cookieText: string, cookie: Readonly<SessionRecord>, data: string) {
    this.record = record;
    this.cookieText = cookieText;
    this.cookie = cookie;
    this.data = data;
  }

  /** Reads the cookie, if it comes first, as it does where a session was stored as it was made; otherwise `undefined`. */
  static of(text: string): UnreadRecord | undefined {
    if (text.at(-1) !== '}') return undefined;
    const read = readCookie(text);
    if (!read?.cookie) return undefined;
    const end = read.start.length;
    if (text[end] !== ',' && end !== text.length - 1) return undefined;
    const data = end === text.length - 1 ? NO_DATA : text.slice(end + 1);
    return new UnreadRecord(text, read.text, read.cookie, data);
  }

  /** Whether a session with this cookie and these data is what was read. To make JSON of the cookie takes 0.7 us. */
  isStill(cookie: Cookie, data: string): boolean {
    const before: Partial<CookieData> = this.cookie;
    const hasEnd = cookie.expires != null || before.expires != null;
    const sameTimes = cookie.touchedAt === before.touchedAt && cookie.rotatedAt === before.rotatedAt;
    return !hasEnd && sameTimes && data === this.data && haveSameAttributes(before, cookie);
  }

  /**
   * The data, of a long session with the cookie again, since to put together a text without it would take more.
   * `undefined`: it is no session after all.
   */
  read(): SessionRecord | undefined {
    return parseObject(this.data.length < LONG ? jsonOf(this.data) : this.record);
  }
}

const COOKIE_FIRST = '{"cookie":';

interface ReadCookie {
  /** What the record begins with, up to the end of the cookie. */
  readonly start: string;
  readonly text: string;
  readonly cookie: Readonly<SessionRecord> | undefined;
}

/** The cookie that was read last. Without a lifetime all are alike: this saves 0.5 us, a tenth of a read. */
let last: ReadCookie | undefined;

function readCookie(record: string): ReadCookie | undefined {
  // `startsWith` compares by character, which would take three times as long
  if (last && record.slice(0, last.start.length) === last.start) return last;
  if (!record.startsWith(COOKIE_FIRST)) return undefined;
  const end = record.indexOf('}') + 1; // a cookie has no objects in it, or the parser will find out
  const text = compact(record.slice(COOKIE_FIRST.length, end));
  last = { start: compact(record.slice(0, end)), text, cookie: Object.freeze(parseObject(text)) };
  return last;
}

/** In characters: to put so long a text together from its parts takes more than to make or to read all of it. */
const LONG = 4096;

/** The {@link dataText} of a session without data. */
export const NO_DATA = '}';

/**
 * The data of a session as text, without its cookie: two requests see the same data just when this text is the same.
 * The cookie is left out since merely reading it (a remaining lifetime) would count as a change. So is the opening
 * brace: what remains is the end of what is stored, and can be cut out of it without a copy.
 *
 * @param likely what it is unless something has changed: it is then given back, and no text made
 * @param whole what that may be a part of
 */
export function dataText(session: object, likely?: string, whole?: WholeText): string {
  if (likely !== undefined && hasData(session, likely, whole)) return likely;
  return jsonOfData(session).slice(1);
}

function hasData(session: object, data: string, whole?: WholeText): boolean {
  if (whole?.data !== data) return matchesText(session, data, 'cookie');
  return matchesText(session, whole.record, 'cookie', whole.record.length - data.length);
}

/** What {@link dataText} was made of. */
export function jsonOf(data: string): string {
  return `{${data}`;
}

/** Of a copy, since the data may have getters and toJSON() of the app's, which look at the session. */
function jsonOfData(session: object): string {
  return JSON.stringify(hasToJson(session) ? session : { ...session, cookie: undefined });
}

/**
 * The {@link dataText} of a stored record: cut out of its text, if the cookie comes first, as it does where a session was
 * stored as it was made.
 */
export function dataTextOf(text: string, record: SessionRecord): string {
  const start = `{"cookie":${JSON.stringify(record['cookie'])}`;
  if (!text.startsWith(start)) return dataText(record);
  const rest = text.slice(start.length);
  return rest === NO_DATA ? NO_DATA : rest.slice(1);
}

/**
 * `before`, if the data are still that; otherwise all of the session as text, since it is about to be stored; or only its
 * data, where they can't be cut out of that, or where the whole would take longer than joining it from its parts.
 *
 * @param whole what `before` may be a part of
 */
export function textNow(session: object, before: string, whole?: WholeText): string | WholeText {
  if (!beginsWithCookie(session)) return dataText(session, before);
  const known = whole?.data === before ? whole : undefined;
  const keepsCookie = known !== undefined && isTimeless(session.cookie); // else its end will have moved
  const text = known ? known.record : before;
  const start = text.length - before.length;
  const changed = changedText(session, text, 'cookie', start, keepsCookie ? 0 : start);
  if (changed === '') return before;
  const cookieText = cookieJson(session.cookie);
  const hasNewCookie = keepsCookie && cookieText !== known.cookieText;
  if (changed === undefined || hasNewCookie) return newText(session, cookieText, before) ?? dataText(session);
  return cutUp(keepsCookie ? changed : [COOKIE_FIRST, cookieText, ',', changed].join(''), cookieText);
}

function newText(session: { cookie: Cookie }, cookieText: string, before: string): WholeText | undefined {
  const plain = plainCookie(cookieText);
  if (plain) return cutUp(JSON.stringify({ ...session, cookie: plain }), cookieText);
  if (before.length < LONG) return undefined;
  const record = JSON.stringify(session);
  return record.startsWith(COOKIE_FIRST + cookieText) ? cutUp(record, cookieText) : undefined;
}

/** To cut out the data makes one piece of the record, which so becomes {@link compact}. */
function cutUp(record: string, cookieText: string): WholeText {
  const end = COOKIE_FIRST.length + cookieText.length;
  return { record, cookieText, data: record.length - end === 1 ? NO_DATA : record.slice(end + 1) };
}

/**
 * What to store of a session, given its {@link dataText}; the same as `JSON.stringify(session)`, which would do it all
 * again. Joined, and so {@link compact}.
 *
 * @param whole what it is unless the cookie has changed
 */
export function recordText(session: object, data: string, whole?: WholeText): string {
  if (!beginsWithCookie(session)) return compactJson(session);
  const cookie = cookieJson(session.cookie);
  if (whole?.data === data && whole.cookieText === cookie) return whole.record;
  return [COOKIE_FIRST, cookie, data === NO_DATA ? '' : ',', data].join('');
}

/** Whether a session's JSON does. The app may have its own idea of that, or something else in the place of the cookie. */
function beginsWithCookie(session: object): session is { cookie: Cookie } {
  if (hasToJson(session)) return false;
  for (const key in session) return key === 'cookie' && isOurs((session as { cookie: unknown }).cookie);
  return false;
}

const { toJSON } = Cookie.prototype;

function isOurs(cookie: unknown): boolean {
  return cookie instanceof Cookie && cookie.toJSON === toJSON;
}

function parseObject(text: string): SessionRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isObject(value) ? value : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
