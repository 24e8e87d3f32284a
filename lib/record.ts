import type { SessionRecord } from './merge.js';

/**
 * The session that a stored text holds, or `undefined` when it holds none: not JSON, not an object, or without the
 * `cookie` object that every session has. Stored bytes are not trusted to be ours.
 */
export function parseRecord(text: string): SessionRecord | undefined {
  const record = parseObject(text);
  return record && isObject(record['cookie']) ? record : undefined;
}

/** A stored session of which only the cookie has been read. */
export class UnreadRecord {
  readonly cookie: Record<string, unknown>;
  /** The data without the cookie. */
  readonly data: string;

  private constructor(cookie: Record<string, unknown>, data: string) {
    this.cookie = cookie;
    this.data = data;
  }

  /** Reads the cookie, if it comes first, as it does where a session was stored as it was made; otherwise `undefined`. */
  static of(text: string): UnreadRecord | undefined {
    if (!text.startsWith(COOKIE_FIRST) || !text.endsWith('}')) return undefined;
    const end = text.indexOf('}', COOKIE_FIRST.length) + 1; // a cookie has no objects in it, or the parser will find out
    const cookie = parseObject(text.slice(COOKIE_FIRST.length, end));
    if (!cookie || (text[end] !== ',' && end !== text.length - 1)) return undefined;
    return new UnreadRecord(cookie, end === text.length - 1 ? '{}' : `{${text.slice(end + 1)}`);
  }

  /** `undefined`: what was stored is no session after all. */
  read(): SessionRecord | undefined {
    const record = parseObject(this.data);
    if (record) delete record['cookie']; // a second one
    return record;
  }
}

const COOKIE_FIRST = '{"cookie":';

/**
 * The data of a session as text, without its cookie: two requests see the same data just when this text is the same.
 * The cookie is left out since merely reading it (a remaining lifetime) would count as a change.
 */
export function dataText(session: object): string {
  const record = session as SessionRecord;
  const { cookie } = record;
  if (!Object.hasOwn(session, 'cookie')) return JSON.stringify(session);
  if (Object.isFrozen(session)) return JSON.stringify({ ...session, cookie: undefined });
  record['cookie'] = undefined; // a fifth of the cost of copying the rest
  try {
    return JSON.stringify(record);
  } finally {
    record['cookie'] = cookie;
  }
}

/**
 * The same for a stored text and the record that it holds: cut out of the text, if the cookie comes first, as it does
 * where a session was stored as it was made.
 */
export function dataTextOf(text: string, record: SessionRecord): string {
  const start = `{"cookie":${JSON.stringify(record['cookie'])}`;
  if (!text.startsWith(start)) return dataText(record);
  const rest = text.slice(start.length);
  return rest === '}' ? '{}' : `{${rest.slice(1)}`;
}

/** What to store of a session, given its {@link dataText}; the same as `JSON.stringify(session)`, which would do it all again. */
export function recordText(session: { cookie: unknown }, data: string): string {
  if (firstKey(session) !== 'cookie') return JSON.stringify(session);
  const cookie = JSON.stringify(session.cookie);
  return data === '{}' ? `{"cookie":${cookie}}` : `{"cookie":${cookie},${data.slice(1)}`;
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

function firstKey(object: object): string | undefined {
  for (const key in object) return key;
  return undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
