import { type Check, expectSame } from './check.js';

const AT_ONCE = 50;

export const manyRecords: readonly Check[] = [
  {
    name: 'many records: each is kept, found and removed',
    async run({ store, settings, id, text, later }) {
      const ids = Array.from({ length: settings.count }, id);
      await forEach(ids, (key) => store.set(key, text({ key }), { expires: later() }));

      const lost: string[] = [];
      await forEach(ids, async (key) => {
        if ((await store.get(key)) !== text({ key })) lost.push(key);
      });
      expectSame(
        lost,
        [],
        `A store keeps ${settings.count} records as well as one.`,
        'the visitors who come first would be logged out by those who come later.',
      );
      if (store.ids) {
        const missing = new Set(ids);
        for await (const key of store.ids()) missing.delete(key);
        expectSame(
          missing.size,
          0,
          'ids() gives them all, page by page if need be.',
          'some logins could not be ended.',
        );
      }

      await forEach(ids, (key) => store.destroy(key));
      const left: string[] = [];
      await forEach(ids, async (key) => {
        if ((await store.get(key)) !== undefined) left.push(key);
      });
      expectSame(left, [], 'Each of them can be destroyed.', 'some visitors could not log out.');
    },
  },
];

/** A few at a time, as requests come in. */
async function forEach(ids: string[], call: (id: string) => Promise<unknown>): Promise<void> {
  for (let start = 0; start < ids.length; start += AT_ONCE) {
    await Promise.all(ids.slice(start, start + AT_ONCE).map(call));
  }
}
