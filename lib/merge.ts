/** A stored session: its data as plain properties, and its cookie. */
export type SessionRecord = Record<string, unknown>;

/**
 * Decides on a key that two requests have both changed. Each value is `undefined` where the key is absent; so is the
 * result, to remove it. Must be synchronous.
 */
export type MergeFunction = (base: any, mine: any, theirs: any, key: string) => unknown;

/**
 * In milliseconds. express-session, which may share the store, can shorten a cookie's lifetime by a millisecond or two each
 * time it starts it anew; ours does not.
 */
const LIFETIME_DRIFT = 1000;

/** The later one wins. */
export const takeMine: MergeFunction = (_base, mine) => mine;

/**
 * Three-way merge of one session: what changed from `base` to `mine` is applied to `theirs`, key by key. A key that was
 * removed stays removed. The cookie is merged by attribute. A key that both sides changed is for `decide`.
 */
export function mergeRecords(
  base: SessionRecord,
  mine: SessionRecord,
  theirs: SessionRecord,
  decide: MergeFunction = takeMine,
): SessionRecord {
  const merged: SessionRecord = { ...theirs };
  const theirChanges = new Set(changedKeys(base, theirs));
  for (const key of changedKeys(base, mine)) {
    const sides = [own(base, key), own(mine, key), own(theirs, key)];
    put(merged, key, theirChanges.has(key) ? mergedValue(key, sides, decide) : sides[1]);
  }
  return merged;
}

/** `base`, with those of the changes from it to `mine` that are in `theirs` as well. */
export function withAgreed(base: SessionRecord, mine: SessionRecord, theirs: SessionRecord): SessionRecord {
  const agreed: SessionRecord = { ...base };
  const different = new Set(changedKeys(mine, theirs));
  for (const key of changedKeys(base, mine)) if (!different.has(key)) put(agreed, key, own(mine, key));
  return agreed;
}

/** The keys whose value in `after` differs, as JSON, from that in `before`; removed ones too. */
export function changedKeys(before: SessionRecord, after: SessionRecord): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].filter((key) => JSON.stringify(own(before, key)) !== JSON.stringify(own(after, key)));
}

function mergedValue(key: string, sides: unknown[], decide: MergeFunction): unknown {
  const [base, mine, theirs] = sides;
  if (JSON.stringify(mine) === JSON.stringify(theirs)) return mine;
  if (key === 'cookie') return areRecords(sides) ? mergeCookies(...sides) : mine;
  return decide(base, mine, theirs, key);
}

/**
 * By attribute. Every response moves the cookie's end, though; where the other side has set another lifetime, that
 * decides on the end too.
 */
function mergeCookies(base: SessionRecord, mine: SessionRecord, theirs: SessionRecord): SessionRecord {
  const merged = mergeRecords(base, mine, theirs);
  if (hasNewLifetime(base, theirs) && !hasNewLifetime(base, mine)) {
    for (const key of ['originalMaxAge', 'expires']) put(merged, key, own(theirs, key));
  }
  return merged;
}

function hasNewLifetime(before: SessionRecord, after: SessionRecord): boolean {
  const [old, now] = [own(before, 'originalMaxAge'), own(after, 'originalMaxAge')];
  if (typeof old !== 'number' || typeof now !== 'number') return old !== now;
  return Math.abs(now - old) >= LIFETIME_DRIFT;
}

function own(record: SessionRecord, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** Assigns even a key called `__proto__` as plain data. */
function put(record: SessionRecord, key: string, value: unknown): void {
  if (value === undefined) delete record[key];
  else Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true });
}

function areRecords(values: unknown[]): values is [SessionRecord, SessionRecord, SessionRecord] {
  return values.every((value) => typeof value === 'object' && value !== null && !Array.isArray(value));
}
