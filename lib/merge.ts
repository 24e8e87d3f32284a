/** A stored session: its data as plain properties, and its cookie. */
export type SessionRecord = Record<string, unknown>;

/**
 * Three-way merge of one session: what changed from `base` to `mine` is applied to `theirs`, key by key. A key that was
 * removed stays removed. The cookie is merged by attribute. A key that both sides changed is `mine`, the later one.
 */
export function mergeRecords(base: SessionRecord, mine: SessionRecord, theirs: SessionRecord): SessionRecord {
  const merged: SessionRecord = { ...theirs };
  for (const key of changedKeys(base, mine)) {
    const sides = [own(base, key), own(mine, key), own(theirs, key)];
    const value = key === 'cookie' && allRecords(sides) ? mergeRecords(...sides) : sides[1];
    if (value === undefined) delete merged[key];
    else define(merged, key, value);
  }
  return merged;
}

/** The keys whose value in `after` differs, as JSON, from that in `before`; removed ones too. */
export function changedKeys(before: SessionRecord, after: SessionRecord): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].filter((key) => JSON.stringify(own(before, key)) !== JSON.stringify(own(after, key)));
}

function own(record: SessionRecord, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** Assigns even a key called `__proto__` as plain data. */
function define(record: SessionRecord, key: string, value: unknown): void {
  Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true });
}

function allRecords(values: unknown[]): values is [SessionRecord, SessionRecord, SessionRecord] {
  return values.every((value) => typeof value === 'object' && value !== null && !Array.isArray(value));
}
