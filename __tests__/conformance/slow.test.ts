/** Stores that keep the contract, in their own time. */

import { setTimeout as delay } from 'node:timers/promises';
import type { SetOptions } from '../../lib/stores/store.js';
import { FullStore } from './full-store.js';
import { ReferenceStore, type Row } from './reference-store.js';
import { declared, failing } from './run-kit.js';

jest.setTimeout(120_000);

const THERE_AND_BACK = 20;

/** A full store at the end of a long line. */
class FarStore extends FullStore {
  override get(id: string) {
    return far(() => super.get(id));
  }
  override set(id: string, text: string, how: SetOptions) {
    return far(() => super.set(id, text, how));
  }
  override touch(id: string, expires: number) {
    return far(() => super.touch(id, expires));
  }
  override getAndTouch(id: string, expires: number) {
    return far(() => super.getAndTouch(id, expires));
  }
  override destroy(id: string) {
    return far(() => super.destroy(id));
  }
}

async function far<T>(call: () => Promise<T>): Promise<T> {
  await delay(THERE_AND_BACK / 2);
  const answer = await call();
  await delay(THERE_AND_BACK / 2);
  return answer;
}

test('a store that is far away passes', async () => {
  const rows = new Map<string, Row>();
  const store = () => new FarStore(rows);

  expect(await failing({ count: 100, store, second: store, separate: () => new FarStore() })).toEqual([]);
});

test.each([
  ['down', Math.floor],
  ['up', Math.ceil],
])('a store whose expiries are whole seconds, rounded %s, passes', async (_, round) => {
  class Seconds extends FullStore {
    protected override live(id: string) {
      const row = this.rows.get(id);
      return row && round(row.expires / 1000) * 1000 > Date.now() ? row : undefined;
    }
  }

  expect(await failing({ store: () => new Seconds(), ttlGranularity: 1000, count: 10 })).toEqual([]);
});

test('a slow store is not let off: one that revives what has expired is found', async () => {
  class Reviving extends ReferenceStore {
    override async set(id: string, text: string, how: SetOptions) {
      await delay(100);
      // A TTL of 0 or less is a DEL, so nothing is left to revive of what is set too late.
      if (how.expires <= Date.now()) this.rows.delete(id);
      return how.expires <= Date.now() || super.set(id, text, how);
    }
    override async touch(id: string, expires: number) {
      const row = this.rows.get(id);
      if (row) row.expires = expires;
      return row !== undefined;
    }
  }

  const checks = declared({ store: () => new Reviving() });
  await expect(checks.get('expiry: touch does not revive an expired record')!()).rejects.toThrow(
    'An expired record is no record: touch() resolves to `false`.',
  );
});
