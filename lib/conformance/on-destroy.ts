import { setTimeout as delay } from 'node:timers/promises';
import { hashOf } from '../stores/id-hash.js';
import type { SessionStore } from '../stores/store.js';
import { type Check, expectSame, type Trial } from './check.js';

const STAYS_OPEN =
  'who has logged out would go on receiving what comes over the sockets that are still open.';

export const onDestroy: readonly Check[] = [
  {
    name: 'onDestroy: tells of each record that is destroyed',
    needs: 'onDestroy',
    run: (trial) => expectTold(trial, trial.store),
  },
  {
    name: 'onDestroy: tells of a record from owned() that is destroyed',
    needs: ['onDestroy', 'owned'],
    async run(trial) {
      const { store, text, id, later } = trial;
      const [key, owner] = [id(), `alice ${id()}`];
      await store.set(key, text(), { expires: later(), owner });
      await whileListening(trial, async (hears) => {
        for await (const record of store.owned!(owner)) if (record.matches(key)) await record.destroy();
        await expectHeard(trial, hears, key);
      });
    },
  },
  {
    name: 'onDestroy: tells nothing any more once that was ended',
    needs: 'onDestroy',
    run: (trial) =>
      whileListening(trial, async (hears) => {
        let ended!: Hears;
        await whileListening(trial, async (other) => {
          ended = other;
        });
        // By when the second one is heard of, the first would have come to both listeners.
        const keys = [await stored(trial), await stored(trial)] as const;
        for (const key of keys) {
          await trial.store.destroy(key);
          await expectHeard(trial, hears, key);
        }
        expectSame(
          ended(keys[0]),
          false,
          'What onDestroy() resolves to ends the calls of the listener.',
          'an app that is closed and made anew would be kept in memory, and called for nothing.',
        );
      }),
  },
];

/** Sees that `trial.store` tells of what `destroying`, an instance over the same data, destroys, when that is done. */
export async function expectTold(trial: Trial, destroying: SessionStore): Promise<void> {
  const keys = [await stored(trial), await stored(trial)];
  const gone = new Set<string>();
  const look = (key: string) =>
    trial.store.get(key).then(
      (text) => text === undefined && gone.add(key),
      () => {}, // nothing was seen
    );
  const readAgain = (name: string) => {
    for (const key of keys) if (isNameOf(name, key)) void look(key);
  };
  await whileListening(
    trial,
    async (hears) => {
      for (const key of keys) await destroying.destroy(key);
      for (const key of keys) await expectHeard(trial, hears, key);
      expectSame(
        await comesTrue(trial, () => keys.every((key) => gone.has(key))),
        true,
        'onDestroy() calls back when the record is gone; what it says before that does not count.',
        `the core looks then whether the session is still there; ${STAYS_OPEN}`,
      );
    },
    readAgain,
  );
}

/** Whether the listener has been told of this id. */
type Hears = (id: string) => boolean;

async function whileListening(
  { store }: Trial,
  run: (hears: Hears) => Promise<void>,
  listener: (name: string) => void = () => {},
): Promise<void> {
  const heard: string[] = [];
  const end: unknown = await store.onDestroy!((name) => {
    heard.push(name);
    listener(name);
  });
  expectSame(
    typeof end,
    'function',
    'onDestroy() resolves to a function that ends it.',
    'nobody could stop listening.',
  );
  try {
    await run((id) => heard.some((name) => isNameOf(name, id)));
  } finally {
    await (end as () => unknown)();
  }
}

function isNameOf(name: string, id: string): boolean {
  return name === id || name === hashOf(id);
}

async function stored({ store, id, text, later }: Trial): Promise<string> {
  const key = id();
  await store.set(key, text(), { expires: later() });
  return key;
}

async function expectHeard(trial: Trial, hears: Hears, key: string): Promise<void> {
  expectSame(
    await comesTrue(trial, () => hears(key)),
    true,
    "onDestroy() calls back with the record's id, or with `sha256-` and the base64url of the id's SHA-256.",
    STAYS_OPEN,
  );
}

/** Messages between processes take some time. */
async function comesTrue({ settings }: Trial, condition: () => boolean): Promise<boolean> {
  const deadline = Date.now() + settings.patience;
  while (!condition() && Date.now() < deadline) await delay(5);
  return condition();
}
