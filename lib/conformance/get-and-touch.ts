import { type Check, expectSame } from './check.js';
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
];
