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
import { interleave, type Subject, type Violation } from './world.js';

const expressSession = require('express-session'); // it brings no types

/** How many orders are tried of each three operations. For longer runs: STEADY_SAMPLES=100 npx jest interleavings */
const SAMPLES = Number(process.env['STEADY_SAMPLES'] ?? 1);
const SEED = Number(process.env['STEADY_SEED'] ?? 1);
const LIFE = 20_000;

const safe: session.SessionOptions = {
  secret: 'keyboard cat',
  resave: false,
  saveUninitialized: false,
  unset: 'destroy',
  storeTimeout: 100 * LIFE,
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
      return { ...backend, handler: make({ ...safe, ...options, genid, store: backend.store }) };
    },
  };
}

const steady = (scheduler: Scheduler) => callbackStore(scheduler, session.Store as never);
const express = (scheduler: Scheduler) => callbackStore(scheduler, expressSession.Store as never);
const maxAge = { cookie: { maxAge: LIFE } };

const sound: Subject[] = [
  subject('a SessionStore', mapStore),
  subject('a SessionStore, rolling', mapStore, { ...maxAge, rolling: true }),
  subject('a SessionStore, resave: true', mapStore, { ...maxAge, resave: true }),
  subject('a SessionStore, recommended', mapStore, { ...session.recommended, storeTimeout: 100 * LIFE }),
  subject('MemoryStore behind gates', gatedMemoryStore, maxAge),
  subject('MemoryStore', () => plainMemoryStore(), maxAge, { gateApp: true }),
  subject(
    'MemoryStore, resave: true',
    () => plainMemoryStore(),
    { ...maxAge, resave: true },
    { gateApp: true },
  ),
  subject('a callback store, merging', steady, { ...maxAge, concurrency: 'merge' }),
  subject("a store of express-session's Store, merging", express, { ...maxAge, concurrency: 'merge' }),
];

const faulty: Subject[] = [
  subject('the real express-session', express, maxAge, { package: expressSession as never }),
  subject('a SessionStore, overwriting', mapStore, { ...maxAge, concurrency: 'overwrite' }),
  subject('a callback store, overwriting', steady, { ...maxAge, concurrency: 'overwrite' }),
];

beforeAll(stopClock);
afterEach(() => jest.clearAllTimers());
afterAll(restoreClock);

const pairs = OPERATIONS.flatMap((first, index) => OPERATIONS.slice(index).map((second) => [first, second]));
const triples = OPERATIONS.flatMap((first, index) =>
  OPERATIONS.slice(index).flatMap((second, offset) =>
    OPERATIONS.slice(index + offset).map((third) => [first, second, third]),
  ),
);

interface Findings {
  explored: number;
  /** The first example of each kind of fault. */
  faults: Map<string, string>;
}

async function explorePairs(subject: Subject): Promise<Findings> {
  const faults = new Map<string, string>();
  let explored = 0;
  for (const pair of pairs) {
    explored += await exhaustively(async (choose) => {
      note(faults, pair, await interleave(subject, pair, choose));
    });
  }
  return { explored, faults };
}

async function sampleTriples(subject: Subject): Promise<Findings> {
  const faults = new Map<string, string>();
  let explored = 0;
  for (const triple of triples) {
    for (let sample = 0; sample < SAMPLES; sample++) {
      note(faults, triple, await interleave(subject, triple, randomly(SEED + explored++)));
    }
  }
  return { explored, faults };
}

function note(faults: Map<string, string>, operations: typeof OPERATIONS, violations: Violation[]): void {
  const names = operations.map(({ name }) => name).join(' | ');
  for (const { fault, what, trace } of violations) {
    if (!faults.has(fault)) faults.set(fault, `${what}\n  ${names}:\n  ${trace.join('\n  ')}`);
  }
}

function tell(what: string, subject: Subject, explored: number): void {
  process.stdout.write(`  ${subject.name}: ${explored} interleavings of ${what}\n`);
}

describe.each(sound)('$name', (subject) => {
  test('pairs of operations, in all interleavings', async () => {
    const { explored, faults } = await explorePairs(subject);
    tell('all pairs', subject, explored);
    expect(Object.fromEntries(faults)).toEqual({});
    expect(explored).toBeGreaterThan(500);
  }, 60_000);

  test('three operations at once, sampled', async () => {
    const { explored, faults } = await sampleTriples(subject);
    tell('triples', subject, explored);
    expect(Object.fromEntries(faults)).toEqual({});
    expect(explored).toBe(triples.length * SAMPLES);
  }, 60_000);
});

describe.each(faulty)('the faults are found: $name', (subject) => {
  test('pairs', async () => {
    const { explored, faults } = await explorePairs(subject);
    tell('all pairs', subject, explored);
    expect([...faults.keys()]).toEqual([]);
  }, 60_000);
});
