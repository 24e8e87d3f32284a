import { type Check, expectSame } from './check.js';
import { expectGone, expired, past, REVIVED, soon, stored } from './expiring.js';
import { untilGone, whileAlive, withLife } from './time.js';

export const getAndTouch: readonly Check[] = [
  {
    name: 'getAndTouch: gives the text and prolongs the record',
    needs: 'getAndTouch',
    run: (trial) =>
      withLife(trial.settings, async (life) => {
        const { store, settings } = trial;
        const [key, value] = [trial.id(), trial.text({ user: 'alice' })];
        const start = Date.now();
        await store.set(key, value, { expires: start + life });
        expectSame(
          await whileAlive(settings, start + life, () => store.getAndTouch!(key, start + 3 * life)),
          value,
          'getAndTouch() resolves to the text, as get() does.',
          'the visitor would not be known.',
        );
        await untilGone(settings, start + life);
        expectSame(
          await whileAlive(settings, start + 3 * life, () => store.get(key)),
          value,
          'getAndTouch() gives the record its new expiry, as touch() does.',
          'a visitor who only reads would be logged out.',
        );
        await untilGone(settings, start + 3 * life);
        expectSame(
          await store.get(key),
          undefined,
          'After getAndTouch() a record lives up to its new expiry.',
          'a session must end when it is due: a stolen cookie must not work for longer.',
        );
      }),
  },
  {
    name: 'getAndTouch: where there is no record it gives undefined and makes none',
    needs: 'getAndTouch',
    async run({ store, id, text, later }) {
      const [unknown, destroyed] = [id(), id()];
      await store.set(destroyed, text(), { expires: later() });
      await store.destroy(destroyed);
      for (const key of [unknown, destroyed]) {
        expectSame(
          [await store.getAndTouch!(key, later()), await store.get(key)],
          [undefined, undefined],
          'getAndTouch() resolves to `undefined` where there is no record, and makes none.',
          'a request that was still running at the logout would bring the session back.',
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
      const [shortened, ended] = [await stored(trial, trial.later()), await stored(trial, trial.later())];
      await trial.store.getAndTouch!(ended, past(trial));
      await expectGone(trial, ended);
      const expires = soon(trial);
      await trial.store.getAndTouch!(shortened, expires);
      await untilGone(trial.settings, expires);
      await expectGone(trial, shortened);
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
