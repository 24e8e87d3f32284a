/**
 * The value, if it is one of `allowed`.
 * @param given what the message shows, where `value` was made of it
 * @throws TypeError which also says what was probably meant
 */
export function oneOf<T>(name: string, value: T, allowed: readonly T[], given: unknown = value): T {
  if (allowed.includes(value)) return value;
  const words = allowed.map((each) => JSON.stringify(each)).join(', ');
  const meant =
    typeof given === 'string'
      ? didYouMean(
          given,
          allowed.filter((each) => typeof each === 'string'),
        )
      : undefined;
  throw badOption(name, given, `one of ${words}${meant ? ` (did you mean ${JSON.stringify(meant)}?)` : ''}`);
}

export function readBoolean(name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw badOption(name, value, 'true or false');
}

export function readFunction<T>(name: string, value: T): T {
  if (typeof value === 'function') return value;
  throw badOption(name, value, 'a function');
}

export function readMilliseconds(name: string, value: unknown): number {
  return readPositive(name, value, 'number of milliseconds');
}

export function readPositive(name: string, value: unknown, what: string): number {
  if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return value;
  throw badOption(name, value, `a positive ${what}`);
}

/**
 * The message for a bad option: what was given, and what is allowed.
 * @param name the option as the user writes it, such as `cookie.sameSite`
 */
export function badOption(name: string, given: unknown, allowed: string): TypeError {
  return new TypeError(`${name} option must be ${allowed}; got ${describe(given)}`);
}

/** A value as a short text that gives no secret away: strings are cut, objects named by their class. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'string')
    return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
  if (typeof value === 'function') return `a function${value.name ? ` (${value.name})` : ''}`;
  if (typeof value === 'object')
    return Array.isArray(value) ? 'an array' : `an object (${value.constructor?.name ?? 'null prototype'})`;
  return `${String(value)} (${typeof value})`;
}

/** The one of `known` that was probably meant by `name`, if any comes close. */
export function didYouMean(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Levenshtein distance: how many letters to add, drop or change. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (previous[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(change, (previous[j] as number) + 1, (current[j - 1] as number) + 1));
    }
    previous = current;
  }
  return previous[b.length] as number;
}
