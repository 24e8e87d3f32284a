import { inspect } from 'node:util';
import { badOption, oneOf, readFunction, readPositive } from '../option-checks.js';
import type { SessionStore } from '../stores/store.js';
import { checkOptions } from '../stores/store-options.js';

/** The runner's function that declares a test: `test` or `it` of Jest, Vitest, Mocha and `node:test`. */
export type TestFunction = (name: string, body: () => Promise<void>, timeout: number) => unknown;

/** What {@link conformance} is told about a store. Only `store`, and one of `test` and `it`, must be given. */
export interface ConformanceOptions {
  /** Declares a test. `it` will do as well. */
  test?: TestFunction | undefined;
  /** Declares a test, for runners that call it so. */
  it?: TestFunction | undefined;
  /**
   * Gives the store to check; called once for each check. It may give the same store each time (then set `close`),
   * and the data may hold other records.
   */
  store: () => SessionStore | Promise<SessionStore>;
  /** Called when a check is through with a store. Default: the store's own `close()`, if it has one. */
  close?: ((store: SessionStore) => unknown) | undefined;
  /**
   * Gives another instance over the same data as what `store` gave last, as another process of the app would have.
   * Turns on the checks that need two.
   */
  second?: (() => SessionStore | Promise<SessionStore>) | undefined;
  /**
   * Gives an instance that shares nothing with what `store` gives: another prefix, table or directory. Turns on the
   * check that they don't see one another's records.
   */
  separate?: (() => SessionStore | Promise<SessionStore>) | undefined;
  /**
   * What the store promises of `expected`:
   * - `true` (default): it compares and writes in one step, whoever else uses the data;
   * - `'in-process'`: in one step only among the calls to one instance. Its `atomic` must be `false`;
   * - `false`: in two steps. Its `atomic` must be `false`, and no races are run.
   */
  atomic?: boolean | 'in-process' | undefined;
  /**
   * How far off an expiry may be, in milliseconds: `1000` for a store that counts whole seconds. Allow also for a
   * server whose clock differs from this machine's. Default `1`, which means exact.
   */
  ttlGranularity?: number | undefined;
  /**
   * Which texts the store can hold: `'any'` (default), or only the JSON of a `'session'`, an object with a cookie.
   */
  values?: 'any' | 'session' | undefined;
  /**
   * Which ids the store can hold: `'any'` (default), or only `'url-safe'` ones: letters, digits, `-` and `_`.
   * The ids that the core makes are url-safe; those of an app's own `genid` need not be.
   */
  ids?: 'any' | 'url-safe' | undefined;
  /** The length in bytes of the longest text to try. Default 1,048,576. */
  valueBytes?: number | undefined;
  /** How many records to store at once. Default 1001: many a database lists no more than 1000 in one go. */
  count?: number | undefined;
  /** How long one call to the store may take, in milliseconds, before it counts as hanging. Default 5000. */
  patience?: number | undefined;
  /**
   * Cuts the connection of the store that `store` gave last. For an outage that lasts, give back a function that ends
   * it. Turns on the check of what the store does without its back end.
   */
  interrupt?: (() => Promise<undefined | (() => Promise<void>)> | Promise<void>) | undefined;
}

type Given = { [Name in keyof ConformanceOptions]: Exclude<ConformanceOptions[Name], undefined> };

/** The options with their defaults. */
export type Settings = Readonly<
  Required<Omit<Given, 'test' | 'it' | 'second' | 'separate' | 'interrupt'>> &
    Pick<ConformanceOptions, 'second' | 'separate' | 'interrupt'> & { test: TestFunction }
>;

const OPTIONS: Readonly<Record<keyof ConformanceOptions, true>> = {
  test: true,
  it: true,
  store: true,
  close: true,
  second: true,
  separate: true,
  atomic: true,
  ttlGranularity: true,
  values: true,
  ids: true,
  valueBytes: true,
  count: true,
  patience: true,
  interrupt: true,
};

/** @throws TypeError, RangeError if the runner's function or the store is missing, or an option is unknown or makes no sense. */
export function settingsOf(options: ConformanceOptions): Settings {
  // A misspelt option would leave out checks in silence.
  checkOptions('conformance', options ?? {}, Object.keys(OPTIONS));
  const test = options?.test ?? options?.it; // who writes JavaScript may forget the argument
  if (typeof test !== 'function') {
    throw new TypeError(
      "conformance: give the runner's function as `test` or `it`: conformance({ test, store }).",
    );
  }
  if (typeof options.store !== 'function') {
    throw new TypeError(
      'conformance: `store` must be a function that gives a store: store: () => new MyStore().',
    );
  }
  if (isClass(options.store))
    throw new TypeError('conformance: `store` is a class; give a function: store: () => new MyStore().');
  checkFunctions(options);
  checkNumbers(options);
  checkChoices(options);
  return {
    close: (store) => store.close?.(),
    atomic: true,
    ttlGranularity: 1,
    values: 'any',
    ids: 'any',
    valueBytes: 1_048_576,
    count: 1001,
    patience: 5000,
    ...given(options),
    test,
  };
}

/** To be called without `new`, it would fail each check. */
function isClass(store: unknown): boolean {
  return /^class\b/.test(Function.prototype.toString.call(store));
}

function checkFunctions(options: ConformanceOptions): void {
  for (const name of ['close', 'second', 'separate', 'interrupt'] as const) {
    if (options[name] !== undefined) readFunction(`conformance: ${name}`, options[name]);
  }
}

function checkNumbers({
  ttlGranularity = 1,
  valueBytes = 1,
  count = 1,
  patience = 1,
}: ConformanceOptions): void {
  if (!(Number.isFinite(ttlGranularity) && ttlGranularity >= 1)) {
    throw new RangeError(
      `conformance: \`ttlGranularity\` is in milliseconds and at least 1, not ${inspect(ttlGranularity)}.`,
    );
  }
  for (const [name, value] of Object.entries({ valueBytes, count })) {
    if (!Number.isInteger(value) || value < 1)
      throw badOption(`conformance: ${name}`, value, 'a positive whole number');
  }
  readPositive('conformance: patience', patience, 'number of milliseconds');
}

function checkChoices({ atomic = true, values = 'any', ids = 'any' }: ConformanceOptions): void {
  oneOf('conformance: atomic', atomic, [true, false, 'in-process']);
  oneOf('conformance: values', values, ['any', 'session']);
  oneOf('conformance: ids', ids, ['any', 'url-safe']);
}

/** Without the options that are `undefined`, so that those get their default. */
function given(options: ConformanceOptions): Given {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as unknown as Given;
}
