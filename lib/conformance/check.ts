import { AssertionError } from 'node:assert';
import { inspect, isDeepStrictEqual } from 'node:util';
import type { SessionStore } from '../stores/store.js';
import type { Settings } from './settings.js';

/** One thing that the contract wants of a store, as one test of the runner. */
export interface Check {
  /** "concern: what must hold". */
  readonly name: string;
  /** Whether it applies to the store at hand. Default: it always does. */
  when?(settings: Settings): boolean;
  /** Methods that not every store has; where one is missing, the check is skipped. */
  readonly needs?: OptionalMethod | readonly OptionalMethod[];
  /** Rejects with an AssertionError if it does not hold. */
  run(trial: Trial): Promise<void>;
}

export type OptionalMethod = keyof typeof WITHOUT;

/** What a store without an optional method is like. */
export const WITHOUT = {
  getAndTouch: 'a request that only reads takes two steps, get() and touch()',
  ids: 'where there is no owned() either, nobody can list or end the sessions of a user',
  owned: 'the sessions of a user are found by going through all of ids(), or not at all',
  onDestroy: 'other processes notice within `checkInterval` that a session with open sockets has ended',
} as const;

/** What a check works with: a store of its own, and ids and texts that no other check uses. */
export interface Trial {
  readonly store: SessionStore;
  /** The same store; it alone may answer `null` for no record, which elsewhere counts as `undefined`, as in the core. */
  readonly exact: SessionStore;
  readonly settings: Settings;
  /** A further store, closed when the check ends. */
  open(make: Settings['store']): Promise<SessionStore>;
  /** An id as the core makes them, never used before. */
  id(): string;
  /** The text of a session that holds `data`. */
  text(data?: object): string;
  /** An expiry that no check lives to see, in epoch ms. */
  later(): number;
}

/**
 * Fails unless `actual` is `wanted`.
 * @param contract what the contract says
 * @param why what goes wrong in the app otherwise
 */
export function expectSame(actual: unknown, wanted: unknown, contract: string, why: string): void {
  if (isDeepStrictEqual(actual, wanted)) return;
  fail(`${contract}\nWanted: ${brief(wanted)}\nGot:    ${brief(actual)}`, why);
}

/** Fails with what the contract says and why it says so. */
export function fail(contract: string, why: string, cause?: unknown): never {
  throw failure(contract, why, cause);
}

/** A store may use `node:assert` too: not each AssertionError is the kit's. */
const failures = new WeakSet<AssertionError>();

/** The error of a check that does not hold. */
export function failure(contract: string, why: string, cause?: unknown): AssertionError {
  const error = new AssertionError({ message: `${contract}\nWhy it matters: ${why}`, stackStartFn: failure });
  failures.add(error);
  return cause === undefined ? error : Object.assign(error, { cause });
}

/** Whether the kit itself found the store wanting, rather than the store reporting an error. */
export function isFailure(error: unknown): boolean {
  return failures.has(error as AssertionError);
}

/** Whether it is an Error, be it of another realm: Jest runs each file of tests in one of its own. */
export function isError(error: unknown): boolean {
  return error instanceof Error || Object.prototype.toString.call(error) === '[object Error]';
}

/** For people: long texts are cut. */
export function brief(value: unknown): string {
  return inspect(value, { maxStringLength: 120, maxArrayLength: 10, breakLength: Infinity });
}
