import { compactJson } from '../compact.js';
import { changedKeys, type MergeFunction, mergeRecords, type SessionRecord } from '../merge.js';

/**
 * What `regenerate({ keep })` carries over from the session under its old id. Until the new session is stored, other
 * requests may still change the old one; what they change is carried over too. If they end it, nothing is.
 */
export interface Heritage {
  /** The old id. */
  readonly id: string;
  /** Which data go along. */
  readonly keep: true | readonly string[];
  /** The data of the old session as this request got to know them. */
  readonly base: SessionRecord;
  /** The keys that were carried over. */
  readonly keys: readonly string[];
}

/** What goes along when the session gets yet another id before it is stored: less, never more. */
export function narrowed(
  heritage: Heritage,
  keep: true | readonly string[],
  keys: readonly string[],
): Heritage | undefined {
  const inherited = keys.filter((key) => heritage.keys.includes(key)); // others have come since
  if (keep === true) return { ...heritage, keys: inherited };
  const before = heritage.keep;
  const both = before === true ? keep : keep.filter((key) => before.includes(key));
  return both.length === 0 ? undefined : { ...heritage, keep: both, keys: inherited };
}

/** The text of the new session, with what others have changed meanwhile in the old one. */
export function withHeritage(
  { base, keep }: Heritage,
  mine: string,
  old: SessionRecord,
  decide: MergeFunction,
): string {
  const [before, now] = [kept(base, keep), kept(old, keep)];
  if (changedKeys(before, now).length === 0) return mine;
  const { cookie, ...data } = JSON.parse(mine) as SessionRecord;
  return compactJson({ cookie, ...mergeRecords(before, data, now, decide) });
}

/** Takes out of the new session what was carried over, since the old one has been ended: also what the request has made of it. */
export function disinherit(session: object, { keys }: Heritage): void {
  for (const key of keys) delete (session as SessionRecord)[key];
}

function kept({ cookie: _, ...data }: SessionRecord, keep: true | readonly string[]): SessionRecord {
  if (keep === true) return data;
  return Object.fromEntries(Object.entries(data).filter(([key]) => keep.includes(key)));
}
