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

/** A second `regenerate()` before the first is stored: fewer keys may go along, not more. */
export function narrowed(heritage: Heritage, keep: true | readonly string[]): Heritage {
  const both =
    keep === true || heritage.keep === true ? (keep === true ? heritage.keep : keep) : intersection(heritage.keep, keep);
  return { ...heritage, keep: both };
}

/** The new session with what others have changed under the old id in the meantime. */
export function inherit(
  { base, keep }: Heritage,
  mine: SessionRecord,
  old: SessionRecord,
  decide: MergeFunction,
): SessionRecord {
  return mergeRecords(kept(base, keep), mine, kept(old, keep), decide);
}

/** Whether others have changed anything that goes along. */
export function hasChanged({ base, keep }: Heritage, old: SessionRecord): boolean {
  return changedKeys(kept(base, keep), kept(old, keep)).length > 0;
}

function kept({ cookie: _, ...data }: SessionRecord, keep: true | readonly string[]): SessionRecord {
  if (keep === true) return data;
  return Object.fromEntries(Object.entries(data).filter(([key]) => keep.includes(key)));
}

function intersection(some: readonly string[], others: readonly string[]): string[] {
  return some.filter((key) => others.includes(key));
}
