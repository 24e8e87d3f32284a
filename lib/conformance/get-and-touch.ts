import { type Check, expectSame } from './check.js';
import { expectGone, expectProlonged, expectShortened, expired, past, stored } from './expiring.js';
import { RESURRECTION, REVIVED } from './reasons.js';

export const getAndTouch: readonly Check[] = [
  {
    name: 'getAndTouch: gives the text and prolongs the record',
    needs: 'getAndTouch',
    async run(trial) {
      let given: string | undefined;
      await expectProlonged(trial, async (key, expires) => {
        given = await trial.store.getAndTouch!(key, expires);
      });
      expectSame(
        given,
        trial.text({ user: 'alice' }),
        'getAndTouch() resolves to the text, as get() does.',
        'the visitor would not be known.',
      );
    },
  },
  {
    name: 'getAndTouch: where there is no record it gives undefined and makes none',
    needs: 'getAndTouch',
    async run({ store, exact, id, text, later }) {
      const [unknown, destroyed] = [id(), id()];
      await store.set(destroyed, text(), { expires: later() });
      await store.destroy(destroyed);
      for (const key of [unknown, destroyed]) {
        expectSame(
          [await exact.getAndTouch!(key, later()), await store.get(key)],
          [undefined, undefined],
          'getAndTouch() resolves to `undefined` where there is no record, and makes none.',
          RESURRECTION,
        );
      }
    },
  },
  {
    name: 'getAndTouch: neither gives nor revives an expired record',
    needs: 'getAndTouch',
    async run(trial) {
      const key = await expired(trial);
      expectSame(
        [await trial.store.getAndTouch!(key, trial.later()), await trial.store.get(key)],
        [undefined, undefined],
        'An expired record is no record: getAndTouch() resolves to `undefined`.',
        REVIVED,
      );
    },
  },
  {
    name: 'getAndTouch: gives a record an earlier expiry, and ends it by one in the past',
    needs: 'getAndTouch',
    async run(trial) {
      await expectShortened(trial, (key, expires) => trial.store.getAndTouch!(key, expires));

      const key = await stored(trial, trial.later());
      await trial.store.getAndTouch!(key, past(trial));
      await expectGone(trial, key);
    },
  },
  {
    name: 'getAndTouch: what was stored still counts as `expected` afterwards',
    needs: 'getAndTouch',
    async run({ store, id, text, later }) {
      const [key, value] = [id(), text({ views: 1 })];
      await store.set(key, value, { expires: later() });
      await store.getAndTouch!(key, later() + 1000);
      expectSame(
        await store.set(key, text({ views: 2 }), { expires: later(), expected: value }),
        true,
        'getAndTouch() leaves the text exactly as it is.',
        'every request that reads would make the ones that write start over.',
      );
    },
  },
];
