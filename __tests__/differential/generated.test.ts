import * as fc from 'fast-check';
import { faultlessScenario, scenario } from './arbitraries.js';
import { useFrozenClock } from './clock.js';
import { expectPlainBytes, expectSame } from './compare.js';
import { ignoreWarnings } from './deprecations.js';

useFrozenClock();
ignoreWarnings();

/** More of them: STEADY_FUZZ_RUNS=20000. Others: STEADY_FUZZ_SEED=2. */
const numRuns = Number(process.env['STEADY_FUZZ_RUNS'] ?? 500);
const seed = Number(process.env['STEADY_FUZZ_SEED'] ?? 1);
const patienceMs = 60_000 + numRuns * 500;

test(
  'generated scenarios: as express-session',
  async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (each) => void (await expectSame(each))),
      { seed, numRuns, includeErrorInReport: true },
    );
  },
  patienceMs,
);

test(
  'generated scenarios: the bytes of plain node:http',
  async () => {
    await fc.assert(
      fc.asyncProperty(faultlessScenario, (each) => expectPlainBytes(each)),
      { seed, numRuns: Math.ceil(numRuns / 3), includeErrorInReport: true },
    );
  },
  patienceMs,
);
