import type { SessionStore } from '../stores/store.js';
import { type Check, expectSame, type Trial } from './check.js';
import { RESURRECTION } from './reasons.js';

const LOST_WRITE = "two requests at once would overwrite one another's changes.";

export const expected: readonly Check[] = [
  {
    name: 'expected null: writes where there is no record',
    async run(trial) {
      const key = trial.id();
      await expectWritten(trial, key, null, 'a new session could not be stored.');
    },
  },
  {
    name: 'expected null: leaves a live record alone',
    async run(trial) {
      const [key, there] = [trial.id(), trial.text({ user: 'alice' })];
      await trial.store.set(key, there, { expires: trial.later() });
      await expectRefused(trial, key, null, there, "a new session could take over another visitor's record.");
    },
  },
  {
    name: 'expected null: writes again after a destroy',
    async run(trial) {
      const key = trial.id();
      await trial.store.set(key, trial.text({ user: 'alice' }), { expires: trial.later() });
      await trial.store.destroy(key);
      await expectWritten(trial, key, null, 'a destroyed record is no record.');
    },
  },
  {
    name: 'expected text: writes over exactly that text',
    async run(trial) {
      const [key, there] = [trial.id(), trial.text({ views: 1 })];
      await trial.store.set(key, there, { expires: trial.later() });
      await expectWritten(trial, key, there, 'no change of a session could ever be saved.');
    },
  },
  {
    name: 'expected text: refuses when another text is stored',
    async run(trial) {
      const [key, there] = [trial.id(), trial.text({ views: 2 })];
      await trial.store.set(key, there, { expires: trial.later() });
      await expectRefused(trial, key, trial.text({ views: 1 }), there, LOST_WRITE);
    },
  },
  {
    name: 'expected text: refuses the text that it has replaced',
    async run(trial) {
      const { store, text, later } = trial;
      const [key, before, after] = [trial.id(), text({ views: 1 }), text({ views: 2 })];
      await store.set(key, before, { expires: later() });
      await store.set(key, after, { expires: later(), expected: before });
      await expectRefused(trial, key, before, after, LOST_WRITE);
    },
  },
  {
    name: 'expected text: refuses when there is no record, and makes none',
    async run(trial) {
      await expectRefused(trial, trial.id(), trial.text({ user: 'alice' }), undefined, RESURRECTION);
    },
  },
  {
    name: 'expected text: refuses after a destroy, and makes no record',
    async run(trial) {
      const [key, there] = [trial.id(), trial.text({ user: 'alice' })];
      await trial.store.set(key, there, { expires: trial.later() });
      await trial.store.destroy(key);
      await expectRefused(trial, key, there, undefined, RESURRECTION);
    },
  },
  {
    name: 'expected text: writing what is there already is a write too',
    async run(trial) {
      const { store, text, later } = trial;
      const [key, there, expires] = [trial.id(), text({ views: 1 }), later()];
      await store.set(key, there, { expires });
      expectSame(
        [await store.set(key, there, { expires, expected: there }), await store.set(key, there, { expires })],
        [true, true],
        'set() resolves to `true` when `expected` holds, or is left out, also when there is nothing to change.',
        'the core takes `false` for a conflict and tries again, or drops the change.',
      );
    },
  },
  {
    name: 'expected text: compares every character',
    async run(trial) {
      for (const [there, nearly] of almostEqual(trial)) {
        const key = trial.id();
        await trial.store.set(key, there, { expires: trial.later() });
        await expectRefused(trial, key, nearly, there, LOST_WRITE);
      }
    },
  },
];

/** Pairs of texts that a sloppy comparison takes for equal: by case, number, length, spaces or the meaning of JSON. */
function almostEqual({ text, settings }: Trial): [string, string][] {
  const long = 'x'.repeat(Math.max(1, Math.min(70_000, settings.valueBytes - text({ a: '' }).length)));
  const sessions: [object, object][] = [
    [{ user: 'alice' }, { user: 'Alice' }],
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    [{ a: 1 }, { a: '1' }],
    [{ a: 'e\u0301' }, { a: '\u00e9' }],
    [{ a: 'x' }, { a: 'x ' }],
    [{ a: long }, { a: `${long.slice(1)}y` }],
  ];
  const pairs = sessions.map(([there, nearly]): [string, string] => [text(there), text(nearly)]);
  if (settings.values === 'session') return pairs;
  const base = text({ a: 1 });
  return [...pairs, [base, `${base} `], [base, ` ${base}`], [base, `${base}\n`], [base, base.slice(0, -1)]];
}

async function expectWritten(trial: Trial, key: string, wanted: string | null, why: string): Promise<void> {
  const { store, text, later } = trial;
  const next = text({ next: true });
  expectSame(
    await store.set(key, next, { expires: later(), expected: wanted }),
    true,
    `set() with ${named(wanted)} resolves to \`true\` when that holds.`,
    why,
  );
  await expectStored(store, key, next, 'set() has written when it resolves to `true`.', why);
}

async function expectRefused(
  trial: Trial,
  key: string,
  wanted: string | null,
  there: string | undefined,
  why: string,
): Promise<void> {
  const { store, text, later } = trial;
  expectSame(
    await store.set(key, text({ intruder: true }), { expires: later(), expected: wanted }),
    false,
    `set() with ${named(wanted)} resolves to \`false\` when that does not hold.`,
    why,
  );
  await expectStored(store, key, there, 'set() has changed nothing when it resolves to `false`.', why);
}

async function expectStored(
  store: SessionStore,
  key: string,
  wanted: string | undefined,
  contract: string,
  why: string,
): Promise<void> {
  expectSame(await store.get(key), wanted, contract, why);
}

function named(wanted: string | null): string {
  return wanted === null
    ? '`expected: null` (no live record)'
    : '`expected: text` (exactly that text is stored)';
}
