import { type Check, expectSame, type Trial } from './check.js';
import {
  expectGone,
  expectGoneBy,
  expectProlonged,
  expectShortened,
  expectThere,
  expired,
  past,
  stored,
} from './expiring.js';
import { REVIVED } from './reasons.js';
import { until, whileAlive, withLife } from './time.js';

const DAY = 86_400_000;

/** Any one millisecond may go by while a busy machine does something else. */
const MOMENTS = 10;

export const expiry: readonly Check[] = [
  {
    name: 'expiry: a record is there until it expires, and then gone',
    run: (trial) =>
      withLife(trial.settings, async (life) => {
        const start = Date.now();
        const key = await stored(trial, start + life);
        await until(start + life / 2);
        await expectThere(trial, key, start + life);
        await expectGoneBy(trial, key, start + life);
      }),
  },
  {
    name: 'expiry: a record is gone at the very millisecond that it expires',
    when: ({ ttlGranularity }) => ttlGranularity === 1,
    async run(trial) {
      for (let round = 0; round < 5; round++) {
        await withLife(trial.settings, async (life) => {
          const first = Date.now() + life;
          const ends = Array.from({ length: MOMENTS }, (_, index) => first + 2 * index);
          const keys = await Promise.all(ends.map((expires) => stored(trial, expires)));
          await whileAlive(trial.settings, first, () => until(first - life / 4));
          for (const [index, key] of keys.entries()) {
            while (Date.now() < ends[index]!); // a timer would come a little late
            await expectGone(trial, key);
          }
        });
      }
    },
  },
  {
    name: 'expiry: a record that is set with a time in the past is gone',
    async run(trial) {
      await expectGone(trial, await stored(trial, past(trial)));

      const key = await stored(trial, trial.later());
      await setAgain(trial, key, past(trial));
      await expectGone(trial, key);
    },
  },
  {
    name: 'expiry: a record may live for years',
    async run(trial) {
      const now = Date.now();
      // Where timers, memcached's relative times, cookies and 32-bit times (of seconds, signed and not) end.
      const ends = [now + 25 * DAY, now + 31 * DAY, now + 400 * DAY, Date.UTC(2038, 1), Date.UTC(2110, 0)];
      const set = await Promise.all(ends.map((expires) => stored(trial, expires)));
      const created = await Promise.all(ends.map((expires) => stored(trial, expires, { expected: null })));
      await until(Date.now() + 30); // where a life was taken for the shortest, it is over
      for (const key of [...set, ...created]) await expectThere(trial, key, Infinity);
      for (const [index, key] of set.entries()) await trial.store.touch(key, ends[index]! + DAY);
      await until(Date.now() + 30);
      for (const key of set) await expectThere(trial, key, Infinity);
    },
  },
  {
    name: 'expiry: set gives a record a later expiry',
    run: (trial) => expectProlonged(trial, (key, expires) => setAgain(trial, key, expires)),
  },
  {
    name: 'expiry: set gives a record an earlier expiry',
    run: (trial) => expectShortened(trial, (key, expires) => setAgain(trial, key, expires)),
  },
  {
    name: 'expiry: a set that is refused does not prolong the record',
    run: (trial) =>
      withLife(trial.settings, async (life) => {
        const { store, text, later, settings } = trial;
        const expires = Date.now() + life;
        const key = await stored(trial, expires);
        await whileAlive(settings, expires, async () => {
          await store.set(key, text(), { expires: later(), expected: null });
          await store.set(key, text(), { expires: later(), expected: text({ user: 'bob' }) });
        });
        await expectGoneBy(trial, key, expires);
      }),
  },
  {
    name: 'expiry: touch prolongs a record, up to the new expiry',
    run: (trial) => expectProlonged(trial, (key, expires) => trial.store.touch(key, expires)),
  },
  {
    name: 'expiry: touch shortens the life of a record',
    run: (trial) => expectShortened(trial, (key, expires) => trial.store.touch(key, expires)),
  },
  {
    name: 'expiry: a touch with a time in the past ends the record',
    async run(trial) {
      const key = await stored(trial, trial.later());
      await trial.store.touch(key, past(trial));
      await expectGone(trial, key);
    },
  },
  {
    name: 'expiry: `expected: null` writes over an expired record',
    async run(trial) {
      const key = await expired(trial);
      expectSame(
        await trial.store.set(key, trial.text(), { expires: trial.later(), expected: null }),
        true,
        'An expired record is no record: `expected: null` holds.',
        'the new session of a visitor who comes back could not be stored.',
      );
    },
  },
  {
    name: 'expiry: `expected: text` does not hold for an expired record',
    async run(trial) {
      const { store, text, later } = trial;
      const key = await expired(trial);
      expectSame(
        await store.set(key, text(), { expires: later(), expected: text({ user: 'alice' }) }),
        false,
        'An expired record is no record: `expected: text` does not hold, whatever it was.',
        REVIVED,
      );
      await expectGone(trial, key);
    },
  },
  {
    name: 'expiry: touch does not revive an expired record',
    async run(trial) {
      const key = await expired(trial);
      expectSame(
        await trial.store.touch(key, trial.later()),
        false,
        'An expired record is no record: touch() resolves to `false`.',
        REVIVED,
      );
      await expectGone(trial, key);
    },
  },
  {
    name: 'expiry: ids does not list an expired record',
    needs: 'ids',
    async run(trial) {
      const key = await expired(trial);
      let listed = false;
      for await (const other of trial.store.ids!()) listed ||= other === key;
      expectSame(
        listed,
        false,
        'ids() leaves out what has expired.',
        "a user's list of logins would show dead ones.",
      );
    },
  },
];

function setAgain({ store, text }: Trial, key: string, expires: number): Promise<boolean> {
  return store.set(key, text({ user: 'alice' }), { expires });
}
