import { basics } from './basics.js';
import type { Check } from './check.js';
import { conditionalExpiry } from './conditional-expiry.js';
import { destroy } from './destroy.js';
import { expected } from './expected.js';
import { expiry } from './expiry.js';
import { getAndTouch } from './get-and-touch.js';
import { instances } from './instances.js';
import { manyRecords } from './many-records.js';
import { oddIds } from './odd-ids.js';
import { oddValues } from './odd-values.js';
import { onDestroy } from './on-destroy.js';
import { outage } from './outage.js';
import { owned } from './owned.js';
import { races } from './races.js';
import { type ConformanceOptions, settingsOf } from './settings.js';
import { touch } from './touch.js';
import { runCheck } from './trial.js';

export type { ConformanceOptions, TestFunction } from './settings.js';

const checks: readonly Check[] = [
  ...basics,
  ...expected,
  ...touch,
  ...getAndTouch,
  ...owned,
  ...destroy,
  ...onDestroy,
  ...expiry,
  ...conditionalExpiry,
  ...oddIds,
  ...oddValues,
  ...instances,
  ...races,
  ...manyRecords,
  ...outage,
];

/**
 * Checks a {@link SessionStore} against its contract. Declares one test for each thing that the contract wants, with
 * the runner of your choice; a failing one says what is wanted, and what goes wrong in the app without it.
 *
 * @example
 * import { test } from 'node:test';
 * import { conformance } from 'steady-session/conformance';
 *
 * conformance({ test, store: () => new MyStore() });
 *
 * @throws TypeError, RangeError if `test` (or `it`) or `store` is missing, or an option is unknown or makes no sense.
 */
export function conformance(options: ConformanceOptions): void {
  const settings = settingsOf(options);
  // Much more than a run takes: a store that hangs is found earlier, and by name.
  const timeout = 60_000 + 100 * settings.ttlGranularity + 10 * settings.patience;
  for (const check of checks) {
    if (check.when && !check.when(settings)) continue;
    settings.test(
      check.name,
      body(() => runCheck(check, settings), timeout),
      timeout,
    );
  }
}

/**
 * Jest and Vitest take the time limit as an argument, `node:test` has none, and Mocha has a setter on `this`. Jest can't
 * skip a test that runs already: it passes.
 */
function body(run: () => Promise<string | undefined>, timeout: number): () => Promise<void> {
  return async function (this: unknown, ...args: unknown[]) {
    const mocha = this as Partial<MochaContext> | undefined;
    if (typeof mocha?.timeout === 'function') mocha.timeout(timeout);
    const skipped = await run();
    if (skipped !== undefined) skip(mocha, args[0] as TestContext | undefined, skipped);
  };
}

interface MochaContext {
  timeout(limit: number): void;
  skip(): void;
}

/** What `node:test` and Vitest give to a test. */
interface TestContext {
  skip?(reason: string): void;
}

function skip(
  mocha: Partial<MochaContext> | undefined,
  context: TestContext | undefined,
  reason: string,
): void {
  if (context?.skip) context.skip(reason);
  else mocha?.skip?.();
}
