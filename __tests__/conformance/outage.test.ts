/** What is said to be done during an outage is looked up when it is over. */

import { FragileStore } from './fragile-store.js';
import { verdict } from './run-kit.js';

const OUTAGE = 'outage: without its back end the store rejects or is right, and it recovers';

/** What the kit says of a store that rejects during the outage, but for one method. */
function during(method: 'set' | 'destroy', instead: (store: FragileStore, args: any[]) => Promise<unknown>) {
  let fragile: FragileStore;
  class Partly extends FragileStore {
    constructor() {
      super(() => Promise.reject(new Error('down')));
    }
  }
  return verdict(OUTAGE, {
    store: () => {
      fragile = new Partly();
      return fragile;
    },
    interrupt: async () => {
      const restore = fragile.interrupt();
      const own = { set: fragile.set, destroy: fragile.destroy };
      fragile[method] = (...args: any[]) => instead(fragile, args) as Promise<any>;
      return async () => {
        Object.assign(fragile, own);
        await restore();
      };
    },
  });
}

test('a destroy whose error was swallowed fails', async () => {
  const error = await during('destroy', async () => undefined);

  expect(error?.message).toMatch(
    /^Without its back end, destroy\(\) rejects with an Error, unless it has done its work/,
  );
});

test('a set whose error was swallowed fails', async () => {
  const error = await during('set', async () => true);

  expect(error?.message).toMatch(
    /^Without its back end, set\(\) rejects with an Error, unless it has done its work/,
  );
});

test('work that was done all the same is fine', async () => {
  expect(await during('destroy', async (store, [id]) => void store.rows.delete(id))).toBeUndefined();
  expect(
    await during('set', async (store, [id, text, { expires }]) => {
      store.rows.set(id, { text, expires });
      return true;
    }),
  ).toBeUndefined();
});
