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
        const key = await stored(trial);
        await trial.store.destroy(key);
        await expectHeard(trial, hears, key);
        await delay(20); // it might hear a little later
        expectSame(
          ended(key),
          false,
          'What onDestroy() resolves to ends the calls of the listener.',
          'an app that is closed and made anew would be kept in memory, and called for nothing.',
        );
      }),
  },
];

/** Sees that `trial.store` tells of what `destroying`, an instance over the same data, destroys. */
export async function expectTold(trial: Trial, destroying: SessionStore): Promise<void> {
  await whileListening(trial, async (hears) => {
    const keys = [await stored(trial), await stored(trial)];
    for (const key of keys) await destroying.destroy(key);
    for (const key of keys) await expectHeard(trial, hears, key);
  });
}

/** Whether the listener has been told of this id. */
type Hears = (id: string) => boolean;

async function whileListening({ store }: Trial, run: (hears: Hears) => Promise<void>): Promise<void> {
  const heard = new Set<string>();
  const end: unknown = await store.onDestroy!((id) => void heard.add(id));
  expectSame(
    typeof end,
    'function',
    'onDestroy() resolves to a function that ends it.',
    'nobody could stop listening.',
  );
  try {
    await run((id) => heard.has(id) || heard.has(hashOf(id)));
  } finally {
    await (end as () => unknown)();
  }
}

async function stored({ store, id, text, later }: Trial): Promise<string> {
  const key = id();
  await store.set(key, text(), { expires: later() });
  return key;
}

/** Messages between processes take some time. */
async function expectHeard({ settings }: Trial, hears: Hears, key: string): Promise<void> {
  const deadline = Date.now() + settings.patience;
  while (!hears(key) && Date.now() < deadline) await delay(5);
  expectSame(
    hears(key),
    true,
    "onDestroy() calls back with the record's id, or with `sha256-` and the base64url of the id's SHA-256.",
    STAYS_OPEN,
  );
}
