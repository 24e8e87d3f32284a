import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SessionStore } from '../stores/store.js';
import { type Check, expectSame, fail, type OptionalMethod, type Trial } from './check.js';

const MANY = 20;
const WORKERS = 8;
const INCREMENTS = 5;
const LOST_WRITE = "requests at once would overwrite one another's changes.";
const RESURRECTION = 'a request that runs during the logout would bring the session back.';

/** Races among the calls to one instance, and among those to two over the same data. */
export const races: readonly Check[] = [
  ...racesOf(
    'races',
    ({ store }) => Promise.resolve([store]),
    ({ atomic }) => atomic !== false,
  ),
  ...racesOf(
    'races of two instances',
    async (trial) => [trial.store, await trial.open(trial.settings.second!)],
    ({ atomic, second }) => atomic === true && second !== undefined,
  ),
];

function racesOf(
  concern: string,
  racers: (trial: Trial) => Promise<SessionStore[]>,
  when: NonNullable<Check['when']>,
): Check[] {
  const race = (
    name: string,
    run: (trial: Trial, nth: (n: number) => SessionStore) => Promise<void>,
    needs?: OptionalMethod,
  ): Check => ({
    name: `${concern}: ${name}`,
    when,
    ...(needs && { needs }),
    async run(trial) {
      const stores = await racers(trial);
      await run(trial, (n) => stores[n % stores.length]!);
    },
  });
  return [
    race('of many that create a record, exactly one wins', (trial, nth) => expectOneWinner(trial, nth, null)),
    race('of many that expect the same text, exactly one wins', async (trial, nth) => {
      const [key, there] = [trial.id(), trial.text({ views: 1 })];
      await trial.store.set(key, there, { expires: trial.later() });
      await expectOneWinner(trial, nth, there, key);
    }),
    race('no increment by compare-and-set is lost', expectAllIncrements),
    race('a touch never brings back what is being destroyed', (trial, nth) =>
      expectDestroyed(trial, (key, n) => nth(n).touch(key, trial.later())),
    ),
    race('a set that expects a text never brings back what is being destroyed', (trial, nth) =>
      expectDestroyed(trial, (key, n, there) =>
        nth(n).set(key, trial.text({ late: n }), { expires: trial.later(), expected: there }),
      ),
    ),
    race('a touch never undoes a set', (trial, nth) => expectSetKept(trial, nth, 'touch')),
    race(
      'a getAndTouch never brings back what is being destroyed',
      (trial, nth) => expectDestroyed(trial, (key, n) => nth(n).getAndTouch!(key, trial.later())),
      'getAndTouch',
    ),
    race(
      'a getAndTouch never undoes a set',
      (trial, nth) => expectSetKept(trial, nth, 'getAndTouch'),
      'getAndTouch',
    ),
  ];
}

async function expectOneWinner(
  { store, text, later, id }: Trial,
  nth: (n: number) => SessionStore,
  expected: string | null,
  key: string = id(),
): Promise<void> {
  const attempts = Array.from({ length: MANY }, (_, n) =>
    nth(n).set(key, text({ winner: n }), { expires: later(), expected }),
  );
  const written = await Promise.all(attempts);
  const winners = written.flatMap((won, n) => (won ? [n] : []));
  expectSame(
    winners.length,
    1,
    `Of ${MANY} calls of set() at once with the same \`expected\`, exactly one resolves to \`true\`.`,
    LOST_WRITE,
  );
  expectSame(
    await store.get(key),
    text({ winner: winners[0] }),
    'What is stored is what the winner has set.',
    'the one that was told that its change is stored would find it gone.',
  );
}

async function expectAllIncrements(
  { store, text, later, id }: Trial,
  nth: (n: number) => SessionStore,
): Promise<void> {
  const key = id();
  await store.set(key, text({ views: 0 }), { expires: later() });

  const increment = async (own: SessionStore) => {
    // Each failure means that another increment was stored meanwhile, so there can be no more of them than that.
    for (let attempt = 0; attempt < WORKERS * INCREMENTS; attempt++) {
      const before = await own.get(key);
      if (before === undefined)
        fail('A record stays while it is written.', 'a busy visitor would be logged out.');
      const { views } = JSON.parse(before) as { views: number };
      if (await own.set(key, text({ views: views + 1 }), { expires: later(), expected: before })) return;
    }
    fail('set() with `expected: text` succeeds once nobody interferes.', 'a change would never be stored.');
  };
  const work = async (own: SessionStore) => {
    for (let n = 0; n < INCREMENTS; n++) await increment(own);
  };
  await Promise.all(Array.from({ length: WORKERS }, (_, n) => work(nth(n))));
  expectSame(
    await store.get(key),
    text({ views: WORKERS * INCREMENTS }),
    `After ${WORKERS * INCREMENTS} increments by compare-and-set the count is ${WORKERS * INCREMENTS}.`,
    LOST_WRITE,
  );
}

/** Destroys a record while others write it, in many orders of starting, and sees that it is gone. */
async function expectDestroyed(
  { store, text, later, id }: Trial,
  write: (key: string, n: number, there: string) => Promise<unknown>,
): Promise<void> {
  for (let round = 0; round < MANY; round++) {
    const [key, there] = [id(), text({ round })];
    await store.set(key, there, { expires: later() });
    const writes = [0, 1, 2, 3].map((n) => afterTurns(n, () => write(key, n, there)));
    await Promise.all([...writes, afterTurns(round % 5, () => store.destroy(key))]);
    expectSame(await store.get(key), undefined, 'What is destroyed stays destroyed.', RESURRECTION);
  }
}

async function expectSetKept(
  { store, text, later, id }: Trial,
  nth: (n: number) => SessionStore,
  touch: 'touch' | 'getAndTouch',
): Promise<void> {
  for (let round = 0; round < MANY; round++) {
    const key = id();
    await store.set(key, text({ views: 1 }), { expires: later() });
    const touches = [0, 1, 2].map((n) => afterTurns<unknown>(n, () => nth(n)[touch]!(key, later())));
    const set = () => nth(round).set(key, text({ views: 2 }), { expires: later() });
    await Promise.all([...touches, afterTurns(round % 4, set)]);
    expectSame(
      await store.get(key),
      text({ views: 2 }),
      `${touch}() changes the expiry only, also while another call sets the text.`,
      LOST_WRITE,
    );
  }
}

/** Starts a call when the event loop has turned so many times: a store's steps then meet in different orders. */
async function afterTurns<T>(turns: number, call: () => Promise<T>): Promise<T> {
  for (let turn = 0; turn < turns; turn++) await nextTurn();
  return call();
}
