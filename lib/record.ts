import type { SessionRecord } from './merge.js';

/**
 * The session that a stored text holds, or `undefined` when it holds none: not JSON, not an object, or without the
 * `cookie` object that every session has. Stored bytes are not trusted to be ours.
 */
export function parseRecord(text: string): SessionRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isObject(value) && isObject(value['cookie']) ? value : undefined;
}

/**
 * The data of a session as text, without its cookie: two requests see the same data just when this text is the same.
 * The cookie is left out since merely reading it (a remaining lifetime) would count as a change.
 */
export function dataText(session: object): string {
  const { cookie: _, ...data } = session as SessionRecord;
  return JSON.stringify(data);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
