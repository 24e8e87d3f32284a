import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { createClient } from 'redis';
import session from '../../lib/index.js';
import { PostgresStore } from '../../lib/stores/postgres.js';
import { RedisStore } from '../../lib/stores/redis.js';
import { SqliteStore } from '../../lib/stores/sqlite.js';
import { collect } from '../support/async.js';
import { Browser } from '../support/http.js';
import { baseOptions } from '../support/lifecycle.js';
import {
  describeWith,
  type PostgresServer,
  type RedisServer,
  startPostgres,
  startRedis,
} from '../support/servers.js';
import { closeSites, serve } from '../support/sites.js';
import { openDatabase, sqliteClients } from '../support/sqlite.js';

const HOUR = 3_600_000;
const later = () => Date.now() + HOUR;
const THEIR_DDL = readFileSync(require.resolve('connect-pg-simple/table.sql'), 'utf8');

/** The ids and texts that a store lists for an owner. */
async function listed(store: session.SessionStore, owner: string): Promise<[string, string][]> {
  const records = await collect(store.owned!(owner));
  return records.map(({ key, value }): [string, string] => [key, value]).sort();
}

async function destroyOwned(store: session.SessionStore, owner: string): Promise<void> {
  for await (const record of store.owned!(owner)) await record.destroy();
}

/** What all stores with an index have in common. */
function describeIndex(open: () => session.SessionStore): void {
  test('lists an owner’s records, whatever the owner is called, and no others', async () => {
    const store = open();
    for (const owner of ['7', '70', '%', "o'brien", 'ö', 'a:b', '']) {
      await store.set(`of ${owner}`, `text of ${owner}`, { expires: later(), owner });
    }
    await store.set('of nobody', 'x', { expires: later() });

    for (const owner of ['7', '70', '%', "o'brien", 'ö', 'a:b', '']) {
      expect(await listed(store, owner)).toEqual([[`of ${owner}`, `text of ${owner}`]]);
    }
    expect(await listed(store, 'somebody')).toEqual([]);
  });

  test('lists a record once, as it is stored now, however often it was written', async () => {
    const store = open();
    await store.set('a', '1', { expires: later(), expected: null, owner: 'ada' });
    await store.set('a', '2', { expires: later(), expected: '1', owner: 'ada' });
    await store.set('a', '3', { expires: later(), owner: 'ada' });

    expect(await listed(store, 'ada')).toEqual([['a', '3']]);
  });

  test('lists neither what was destroyed nor what has expired', async () => {
    const store = open();
    await store.set('destroyed', '1', { expires: later(), owner: 'ada' });
    await store.set('expired', '1', { expires: Date.now() - 1, owner: 'ada' });
    await store.set('ended', '1', { expires: later(), owner: 'ada' });
    await store.destroy('destroyed');
    await store.touch('ended', Date.now() - 1, 'ada');

    expect(await listed(store, 'ada')).toEqual([]);
  });

  test('a record matches its own id only, and its destroy() destroys it only', async () => {
    const store = open();
    await store.set('a', '1', { expires: later(), owner: 'ada' });
    await store.set('b', '1', { expires: later(), owner: 'ada' });
    const found = (await collect(store.owned!('ada'))).find((each) => each.matches('a'));

    expect([found?.key, found?.matches('b')]).toEqual(['a', false]);
    await found?.destroy();
    expect([await store.get('a'), await store.get('b')]).toEqual([undefined, '1']);
  });

  test('lists all of more than one page', async () => {
    const store = open();
    const ids = Array.from({ length: 1200 }, (_, n) => `id${n}`);
    await Promise.all(ids.map((id) => store.set(id, id, { expires: later(), owner: 'ada' })));

    expect((await listed(store, 'ada')).map(([id]) => id)).toEqual([...ids].sort());
    await destroyOwned(store, 'ada');
    expect(await listed(store, 'ada')).toEqual([]);
  });

  test('is not part of ids()', async () => {
    const store = open();
    await store.set('a', '1', { expires: later(), owner: 'ada' });

    expect(await collect(store.ids!())).toEqual(['a']);
  });

  test('serves hashIds: the hash is the key, and the id matches', async () => {
    const store = session.hashIds(open());
    await store.set('secret-id', 'text', { expires: later(), owner: 'ada' });
    const [found] = await collect(store.owned!('ada'));

    expect(found?.key).toMatch(/^sha256-[\w-]{43}$/);
    expect([found?.value, found?.matches('secret-id'), found?.matches(found.key)]).toEqual([
      'text',
      true,
      false,
    ]);
    await found?.destroy();
    expect(await store.get('secret-id')).toBe(undefined);
  });

  test('serves encrypt: the text is decrypted, and what can’t be is left out', async () => {
    const inner = open();
    const reports: string[] = [];
    const report = (error: session.SteadyError) => reports.push(error.code);
    const store = session.encrypt(inner, Buffer.alloc(32, 1), { report });
    await store.set('a', 'text', { expires: later(), expected: null, owner: 'ada' });
    await store.set('a', 'changed', { expires: later(), expected: 'text', owner: 'ada' });
    await inner.set('forged', 'text', { expires: later(), owner: 'ada' });

    expect(await listed(store, 'ada')).toEqual([['a', 'changed']]);
    expect(reports).toEqual(['ERR_SESSION_DECRYPT']);
  });

  test('serves hashIds over encrypt; the other way round is refused', async () => {
    const key = Buffer.alloc(32, 1);
    const inner = open();
    const store = session.hashIds(session.encrypt(inner, key));
    await store.set('a', 'text', { expires: later(), owner: 'ada' });
    expect((await listed(store, 'ada')).map(([, value]) => value)).toEqual(['text']);

    const wrong = session.encrypt(session.hashIds(inner), key);
    expect(wrong).not.toHaveProperty('owned');
    const options = { ...baseOptions, owner: 'userId', store: wrong };
    await expect(session(options).revoke('ada')).rejects.toMatchObject({ code: 'ERR_SESSION_NOT_LISTABLE' });
  });
}

describe('a store without owned()', () => {
  test('is wrapped without one', () => {
    const store = new session.MemoryStore() as unknown as session.SessionStore;
    expect(session.hashIds(store)).not.toHaveProperty('owned');
    expect(session.encrypt(store, Buffer.alloc(32))).not.toHaveProperty('owned');
  });
});

describeWith('sqlite', 'SqliteStore', () => {
  const directory = mkdtempSync(join(tmpdir(), 'owned-'));
  const closing: (() => void)[] = [];
  let files = 0;
  afterAll(() => {
    for (const close of closing) close();
    rmSync(directory, { recursive: true });
  });

  describe.each(sqliteClients())('%s', (client) => {
    const openStore = () => {
      const database = openDatabase(client, join(directory, `${files++}.db`));
      const store = new SqliteStore({ database, cleanupInterval: 0 });
      closing.push(() => {
        store.close();
        database.close();
      });
      return { database, store };
    };
    describeIndex(() => openStore().store);

    test('a write without an owner takes the record out of the list', async () => {
      const { store } = openStore();
      await store.set('a', '1', { expires: later(), owner: 'ada' });
      await store.set('a', '2', { expires: later() });

      expect(await listed(store, 'ada')).toEqual([]);
    });

    test('the list is found by its index', () => {
      const { database } = openStore();
      const plan = database
        .prepare('EXPLAIN QUERY PLAN SELECT rowid FROM sessions WHERE owner = ? AND rowid > ? ORDER BY rowid')
        .all('ada', 0);

      expect(JSON.stringify(plan)).toContain('sessions_owner');
    });
  });
});

describeWith('redis-server', 'RedisStore', () => {
  let redis: RedisServer;
  let admin: Redis;
  const closing: (() => void)[] = [];

  beforeAll(async () => {
    redis = await startRedis();
    admin = new Redis(redis.url);
  });
  beforeEach(() => admin.flushall());
  afterAll(async () => {
    for (const close of closing) close();
    admin.disconnect();
    await redis.stop();
  });

  describe('ioredis', () => {
    describeIndex(() => new RedisStore({ client: admin }));
  });

  describe('node-redis, with keys without a prefix', () => {
    let client: ReturnType<typeof createClient>;
    beforeAll(async () => {
      client = createClient({ url: redis.url });
      await client.connect();
      closing.push(() => client.destroy());
    });
    describeIndex(() => new RedisStore({ client, prefix: '' }));
  });

  test('the client’s own key prefix is before that of the sets too', async () => {
    const client = new Redis(redis.url, { keyPrefix: 'app:' });
    closing.push(() => client.disconnect());
    const store = new RedisStore({ client, prefix: '' });
    await store.set('a', '1', { expires: later(), owner: 'ada' });

    expect((await admin.keys('*')).sort()).toEqual(['app:a', 'app:owner:ada']);
    expect(await collect(store.ids())).toEqual(['a']);
    expect(await listed(store, 'ada')).toEqual([['a', '1']]);
  });

  test('a set is not taken for a session, whatever prefix the records have', async () => {
    const store = new RedisStore({ client: admin, prefix: 'owner:' });
    await store.set('a', '1', { expires: later(), owner: 'ada' });

    expect((await admin.keys('*')).sort()).toEqual(['owner:a', 'owner:owner:ada']);
    expect(await collect(store.ids())).toEqual(['a']);
  });

  test('a set ends a minute after the last of its sessions, touched ones included', async () => {
    const store = new RedisStore({ client: admin });
    const ends = async () => Math.round(((await admin.pttl('owner:sess:ada')) - 60_000) / 10_000);
    await store.set('a', '1', { expires: Date.now() + 600_000, owner: 'ada' });
    expect(await ends()).toBe(60);
    await store.set('b', '1', { expires: Date.now() + 300_000, owner: 'ada' });
    expect(await ends()).toBe(60);
    await store.touch('b', Date.now() + 900_000, 'ada');
    expect(await ends()).toBe(90);
    await store.set('a', '2', { expires: Date.now() + 1_200_000, expected: '1', owner: 'ada' });
    expect(await ends()).toBe(120);
  });

  test('a write takes those out of the set whose time is over, and leaves the others', async () => {
    const store = new RedisStore({ client: admin });
    await admin.zadd('owner:sess:ada', Date.now() - 1, 'old', Date.now() + HOUR, 'young');
    await store.set('a', '1', { expires: later(), owner: 'ada' });

    expect((await admin.zrange('owner:sess:ada', 0, -1)).sort()).toEqual(['a', 'young']);
  });

  test('what the set names but is not stored, or belongs to another key, is not listed', async () => {
    const store = new RedisStore({ client: admin });
    await store.set('a', '1', { expires: later(), owner: 'ada' });
    await admin.zadd('owner:sess:ada', Date.now() + HOUR, 'never stored');

    expect(await listed(store, 'ada')).toEqual([['a', '1']]);
  });

  test('a session that has got another id since the set was read is listed', async () => {
    const store = new RedisStore({ client: admin });
    await store.set('a', '1', { expires: later(), owner: 'ada' });
    const get = store.get.bind(store);
    store.get = async (id) => {
      store.get = get;
      await store.set('b', '1', { expires: later(), owner: 'ada' });
      await store.destroy(id, 'ada');
      return get(id);
    };

    expect(await listed(store, 'ada')).toEqual([['b', '1']]);
  });

  test('a session that ends leaves the set', async () => {
    const store = new RedisStore({ client: admin });
    const left = () => admin.zrange('owner:sess:ada', 0, -1);
    for (const id of ['a', 'b', 'c', 'd', 'e']) await store.set(id, '1', { expires: later(), owner: 'ada' });
    await store.destroy('a', 'ada');
    await session.hashIds(store).destroy('unknown', 'ada');
    await session.encrypt(store, Buffer.alloc(32)).destroy('b', 'ada');
    expect((await left()).sort()).toEqual(['c', 'd', 'e']);
    await store.set('c', '1', { expires: 0, expected: '1', owner: 'ada' });
    await store.set('d', '1', { expires: 0, expected: 'other', owner: 'ada' });
    expect((await left()).sort()).toEqual(['d', 'e']);
    for await (const record of session.hashIds(store).owned!('ada')) await record.destroy('ada');
    expect(await left()).toEqual([]);
  });

  test('where the last write wins, a session stays in the set when it ends: a write may bring it back', async () => {
    const store = new RedisStore({ client: admin });
    const options = { ...baseOptions, concurrency: 'overwrite', owner: 'userId', store } as const;
    const sessions = session(options);
    const site = await serve('node:http', [
      sessions,
      async (req, res) => {
        if (req.url === '/login') req.session.userId = 7;
        else await req.session.destroy();
        res.end();
      },
    ]);
    const browser = new Browser(site);
    await browser.get('/login');
    const [id = ''] = await collect(store.ids());
    const text = (await store.get(id)) as string;
    await browser.get('/logout');
    await store.set(id, text, { expires: later() }); // by a request whose entry was made before
    expect((await collect(sessions.of(7))).map(({ data }) => data)).toEqual([{ userId: 7 }]);
    expect(await sessions.revoke(7)).toBe(1);
    expect(await admin.zcard('owner:sess:7')).toBe(1);
    await closeSites();
  });

  test('over a session: logging out and in anew leave nothing in the set', async () => {
    for (const make of [(store: RedisStore) => store, (store: RedisStore) => session.hashIds(store)]) {
      for (const options of [{}, { rotateAfter: HOUR }]) {
        await admin.flushall();
        const sessions = session({
          ...{ ...baseOptions, owner: 'userId', ...options },
          store: make(new RedisStore({ client: admin })),
        });
        const site = await serve('node:http', [
          sessions,
          async (req, res) => {
            if (req.url !== '/logout') await req.session.regenerate({ keep: req.url === '/renew' });
            else await req.session.destroy();
            if (req.session) req.session.userId = 7;
            res.end();
          },
        ]);
        const browser = new Browser(site);
        for (const path of ['/login', '/login', '/renew', '/renew']) await browser.get(path);
        expect(await admin.zcard('owner:sess:7')).toBe(1);
        await browser.get('/logout');
        expect(await admin.zcard('owner:sess:7')).toBe(0);
        for (const _ of [1, 2]) await new Browser(site).get('/login');
        expect(await admin.zcard('owner:sess:7')).toBe(2);
        expect(await sessions.revoke(7)).toBe(2);
        expect(await admin.zcard('owner:sess:7')).toBe(0);
      }
    }
    await closeSites();
  });

  test('an entry that cannot be taken out of the set keeps no session alive, and no logout from its end', async () => {
    const store = new RedisStore({ client: admin });
    await store.set('a', '1', { expires: later(), owner: 'ada' });
    await admin.set('owner:sess:ada', 'no set');

    await store.destroy('a', 'ada');
    expect(await store.get('a')).toBe(undefined);
  });

  test('a write whose condition does not hold leaves the record as it is', async () => {
    const store = new RedisStore({ client: admin });
    await store.set('a', '1', { expires: later(), owner: 'ada' });

    expect(await store.set('a', '2', { expires: later(), expected: 'other', owner: 'bob' })).toBe(false);
    expect(await listed(store, 'ada')).toEqual([['a', '1']]);
  });

  test('trouble with the server is told as such', async () => {
    const client = new Redis({ port: 1, lazyConnect: true, enableOfflineQueue: false });
    const store = new RedisStore({ client });

    await expect(listed(store, 'ada')).rejects.toMatchObject({ code: 'ERR_SESSION_STORE_UNREACHABLE' });
    await expect(store.set('a', '1', { expires: later(), owner: 'ada' })).rejects.toMatchObject({
      code: 'ERR_SESSION_STORE_UNREACHABLE',
    });
    client.disconnect();
  });

  test('over a session: list, revoke all but one, and nothing is left behind that does not expire', async () => {
    const store = new RedisStore({ client: admin });
    const handler = session({
      secret: 'a secret of 32 bytes, or of more',
      resave: false,
      saveUninitialized: false,
      owner: 'userId',
      store,
    });
    const record = JSON.stringify({ cookie: { originalMaxAge: null, expires: null }, userId: 7 });
    for (const id of ['a', 'b', 'c']) await store.set(id, record, { expires: later(), owner: '7' });

    expect((await collect(handler.of(7))).map(({ data }) => data)).toEqual([
      { userId: 7 },
      { userId: 7 },
      { userId: 7 },
    ]);
    expect(await handler.revoke(7, { except: 'b' })).toBe(2);
    expect(await collect(store.ids())).toEqual(['b']);
    const lives = await Promise.all((await admin.keys('*')).map((key) => admin.pttl(key)));
    expect(lives.map((left) => left > 0)).toEqual([true, true]);
  });
});

describeWith('postgres', 'PostgresStore', () => {
  let postgres: PostgresServer;
  let pool: Pool;
  const stores: PostgresStore[] = [];
  let tables = 0;

  beforeAll(async () => {
    postgres = await startPostgres();
    pool = new Pool({ connectionString: postgres.connectionString });
    pool.on('error', () => {});
  }, 60_000);
  afterAll(async () => {
    for (const store of stores) store.close();
    await pool.end();
    await postgres.stop();
  });

  const newStore = (options: { table: string; createTable?: boolean }) => {
    const store = new PostgresStore({ pool, cleanupInterval: 0, ...options });
    stores.push(store);
    return store;
  };
  describeIndex(() => newStore({ table: `owned${tables++}`, createTable: true }));

  test('the list is found by its index', async () => {
    await pool.query(PostgresStore.ddl('planned'));
    const client = await pool.connect();
    await client.query('SET enable_seqscan = off');
    const { rows } = await client.query(
      "EXPLAIN SELECT sid FROM planned WHERE owner = 'ada' AND sid > '' ORDER BY sid",
    );
    client.release(true);

    expect(JSON.stringify(rows)).toContain('planned_owner_idx');
  });

  test('the table of connect-pg-simple has no such column: all records are looked through', async () => {
    await pool.query(THEIR_DDL);
    const store = newStore({ table: 'session' });
    const text = (userId: number) => JSON.stringify({ cookie: {}, userId });
    await store.set('a', text(7), { expires: later(), owner: '7' });
    await store.set('b', text(8), { expires: later(), expected: null, owner: '8' });
    await store.set('b', text(9), { expires: later(), expected: text(8), owner: '9' });
    const options = {
      secret: 'x'.repeat(40),
      resave: false,
      saveUninitialized: false,
      owner: 'userId',
      store,
    };

    expect(await listed(store, '7')).toEqual([
      ['a', text(7)],
      ['b', text(9)],
    ]);
    expect(await session(options).revoke(9)).toBe(1);
    expect(await collect(store.ids())).toEqual(['a']);
  });

  test('trouble is told as such, and asked again', async () => {
    const store = newStore({ table: 'not_there_yet' });
    await expect(listed(store, 'ada')).rejects.toMatchObject({ code: 'ERR_SESSION_STORE_TABLE' });
  });
});
