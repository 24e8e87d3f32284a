import session from '../../lib/index.js';
import {
  callbackStore,
  type GatedStore,
  gatedMemoryStore,
  mapStore,
  plainMemoryStore,
} from './gated-stores.js';
import { OPERATIONS } from './operations.js';
import { exhaustively, randomly, restoreClock, type Scheduler, stopClock } from './scheduler.js';
import { type Fault, interleave, type Subject, type Violation } from './world.js';

const expressSession = require('express-session'); // it brings no types

/**
 * How many runs of three operations are tried with each store. A longer run also tries all pairs with every store:
 * STEADY_SAMPLES=10000 npx jest interleavings
 */
const SAMPLES = Number(process.env['STEADY_SAMPLES'] ?? 300);
const LONG = process.env['STEADY_SAMPLES'] !== undefined;
const SEED = Number(process.env['STEADY_SEED'] ?? 1);
const LIFE = 20_000;

const safe: session.SessionOptions = {
  secret: 'keyboard cat',
  resave: false,
  saveUninitialized: false,
  unset: 'destroy',
  ttl: LIFE,
};

function subject(
  name: string,
  makeStore: (scheduler: Scheduler) => GatedStore,
  options: session.SessionOptions = {},
  { gateApp = false, package: make = session as (options: any) => any } = {},
): Subject {
  return {
    name,
    life: LIFE,
    gateApp,
    start(scheduler, genid) {
      const backend = makeStore(scheduler);
      return {
        ...backend,
        handler: make({ ...safe, ...options, storeTimeout: 100 * LIFE, genid, store: backend.store }),
      };
    },
  };
}

const steady = (scheduler: Scheduler) => callbackStore(scheduler, session.Store as never);
const express = (scheduler: Scheduler) => callbackStore(scheduler, expressSession.Store as never);
const maxAge = { cookie: { maxAge: LIFE } };

const merging = { ...maxAge, concurrency: 'merge' } as const;
const resaving = { ...maxAge, resave: true };

/** All pairs of operations are tried with these. */
const thorough: Subject[] = [
  subject('a SessionStore', mapStore, maxAge),
  subject('MemoryStore, resave: true', () => plainMemoryStore(), resaving, { gateApp: true }),
  subject("a store of express-session's Store, merging", express, merging),
];

const others: Subject[] = [
  subject('a SessionStore, rotating ids', mapStore, { ...maxAge, rotateAfter: 1 }),
  subject('a SessionStore, browser sessions', mapStore),
  subject('a SessionStore, rolling', mapStore, { ...maxAge, rolling: true }),
  subject('a SessionStore, resave: true', mapStore, resaving),
  subject('a SessionStore, recommended', mapStore, session.recommended),
  subject('MemoryStore', () => plainMemoryStore(), maxAge, { gateApp: true }),
  subject('MemoryStore behind gates', gatedMemoryStore, maxAge),
  subject('a callback store, merging', steady, merging),
  subject('a callback store, merging, resave: true', steady, { ...merging, resave: true }),
];

/** Express-session itself, and what we do when asked to do the same. */
const faulty: (Subject & { faults: Fault[] })[] = [
  {
    ...subject('the real express-session', express, maxAge, { package: expressSession }),
    faults: ['carried back', 'counter', 'early', 'lost', 'resurrected', 'survived', 'token'],
  },
  {
    ...subject('a SessionStore, overwriting', mapStore, { ...maxAge, concurrency: 'overwrite' }),
    faults: ['carried back', 'counter', 'lost', 'resurrected', 'survived', 'token'],
  },
  {
    ...subject('a callback store, by default', steady, maxAge),
    faults: ['carried back', 'counter', 'lost', 'resurrected', 'survived', 'token'],
  },
];

beforeAll(stopClock);
afterEach(() => jest.clearAllTimers());
afterAll(restoreClock);

const pairs = OPERATIONS.flatMap((first, index) => OPERATIONS.slice(index).map((second) => [first, second]));

interface Findings {
  explored: number;
  /** The first example of each kind of fault. */
  faults: Map<string, string>;
}

/** @param kinds how many kinds of faults are enough */
async function explorePairs(subject: Subject, kinds = Infinity): Promise<Findings> {
  const faults = new Map<string, string>();
  let explored = 0;
  for (const pair of pairs) {
    if (faults.size >= kinds) break;
    explored += await exhaustively(async (choose) => {
      note(faults, pair, await interleave(subject, pair, choose));
    });
  }
  return { explored, faults };
}

async function sampleTriples(subject: Subject): Promise<Findings> {
  const faults = new Map<string, string>();
  for (let explored = 0; explored < SAMPLES; explored++) {
    const choose = randomly(SEED + explored);
    const triple = [1, 2, 3].map(() => OPERATIONS[choose(OPERATIONS.length)]!);
    note(faults, triple, await interleave(subject, triple, choose));
  }
  return { explored: SAMPLES, faults };
}

function note(faults: Map<string, string>, operations: typeof OPERATIONS, violations: Violation[]): void {
  const names = operations.map(({ name }) => name).join(' | ');
  for (const { fault, what, trace } of violations) {
    if (!faults.has(fault)) faults.set(fault, `${what}\n  ${names}:\n  ${trace.join('\n  ')}`);
  }
}

function expectSound(subject: Subject, what: string, { explored, faults }: Findings): void {
  process.stdout.write(`  ${subject.name}: ${explored} interleavings of ${what}\n`);
  expect(Object.fromEntries(faults)).toEqual({});
}

describe('two requests with one session, in all interleavings', () => {
  test.each(LONG ? [...thorough, ...others] : thorough)(
    '$name',
    async (subject) => {
      const findings = await explorePairs(subject);
      expectSound(subject, `${pairs.length} pairs of operations`, findings);
      expect(findings.explored).toBeGreaterThan(2000);
    },
    600_000,
  );
});

describe(`three requests with one session, in ${SAMPLES} of the interleavings`, () => {
  test.each([...thorough, ...others])(
    '$name',
    async (subject) => {
      const findings = await sampleTriples(subject);
      expectSound(subject, `three operations, seed ${SEED}`, findings);
      expect(findings.explored).toBe(SAMPLES);
    },
    600_000,
  );
});

describe('the faults of overwriting are found', () => {
  test.each(faulty)(
    '$name',
    async (subject) => {
      const expected = subject.faults;
      const { explored, faults } = await explorePairs(subject, expected.length);
      process.stdout.write(`  ${subject.name}: ${explored} interleavings, ${faults.size} kinds of faults\n`);
      expect([...faults.keys()].sort()).toEqual(expected);
    },
    600_000,
  );
});
