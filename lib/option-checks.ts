import { LONGEST_TIMER } from './timers.js';

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

/** A number of milliseconds, or `Infinity` for no end. */
export function readLife(name: string, value: unknown): number {
  return value === Infinity ? value : readMilliseconds(name, value);
}

/** What a timer counts: with more than it can wait it would go off at once. */
export function readTimer(name: string, value: unknown): number {
  if (typeof value === 'number' && value > 0 && value <= LONGEST_TIMER) return value;
  throw badOption(name, value, 'a positive number of milliseconds, 24 days at most');
}

export function readPositive(name: string, value: unknown, what: string): number {
  if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return value;
  throw badOption(name, value, value === Infinity ? `a finite ${what}` : `a positive ${what}`);
}

/** A number of milliseconds; 0 for an option that is off. */
export function readPeriod(name: string, value: unknown): number {
  return value == null || value === 0 || value === false
    ? 0
    : readPositive(name, value, 'number of milliseconds, or 0');
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
  if (typeof value === 'string') return quoted(value.length > 40 ? `${value.slice(0, 40)}...` : value);
  if (typeof value === 'function') return `a function${value.name ? ` (${value.name})` : ''}`;
  if (value instanceof Date && Number.isNaN(value.getTime())) return 'an invalid Date';
  if (typeof value === 'object')
    return Array.isArray(value) ? 'an array' : `an object (${value.constructor?.name ?? 'null prototype'})`;
  return `${String(value)} (${typeof value})`;
}

/** What was given, in a few words; of a string not its content, since a connection string has a password in it. */
export function describeWithoutText(value: unknown): string {
  return typeof value === 'string' ? 'a string' : describe(value);
}

/** As JSON, which lets some control characters stand that a terminal may act on. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(/[\x7f-\x9f]/g, (each) => `\\u00${each.charCodeAt(0).toString(16)}`);
}

/** For something that was not waited for. */
export function awaitHint(value: unknown): string {
  return hasMethods(value, 'then') ? '; wait for it: `await ...`' : '';
}

/** Whether `value` is an object (or function) that has all of these methods. */
export function hasMethods(value: unknown, ...names: string[]): boolean {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false;
  return names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');
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

/** Damerau-Levenshtein distance (optimal string alignment): how many letters to add, drop or change, or neighbours to swap. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [];
  const at = (i: number, j: number) => rows[i]?.[j] as number;
  for (let i = 0; i <= a.length; i++) {
    const row: number[] = [];
    rows.push(row);
    for (let j = 0; j <= b.length; j++) {
      if (i === 0 || j === 0) {
        row.push(i + j);
        continue;
      }
      const change = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? at(i - 2, j - 2) + 1 : Infinity;
      row.push(Math.min(change, swap, at(i - 1, j) + 1, at(i, j - 1) + 1));
    }
  }
  return at(a.length, b.length);
}
