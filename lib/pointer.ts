import type { SessionRecord } from './merge.js';
import { parseRecord } from './record.js';

/** Where a session has moved to when its id was rotated, as the record under the old id says. */
export interface Pointer {
  target: string;
  /** When it moved, in epoch milliseconds. */
  movedAt: number;
}

/** The pointer that a stored text is, if it is one. To express-session it looks like an empty session. */
export function pointerOf(text: string): Pointer | undefined {
  if (!text.includes('"movedTo"')) return undefined;
  const { cookie } = parseRecord(text) ?? {};
  const { movedTo, movedAt } = (cookie ?? {}) as Record<string, unknown>;
  return typeof movedTo === 'string' && typeof movedAt === 'number'
    ? { target: movedTo, movedAt }
    : undefined;
}

/** The text that takes the place of a session's record under its old id. */
export function pointerText(record: SessionRecord, { target, movedAt }: Pointer): string {
  const cookie = record['cookie'] as SessionRecord;
  return JSON.stringify({ cookie: { ...cookie, movedTo: target, movedAt } });
}
