import { readFileSync } from 'node:fs';
import { Client, Pool, type PoolConfig } from 'pg';
import { conformance } from '../../lib/conformance/index.js';
import { PostgresStore, type PostgresStoreOptions } from '../../lib/stores/postgres.js';
import { collect, eventually } from '../support/async.js';
import { describeWith, freePort, type PostgresServer, startPostgres } from '../support/servers.js';

const HOUR = 3_600_000;
const later = () => Date.now() + HOUR;
const PgStore = require('connect-pg-simple')(require('express-session')); // neither brings types
const THEIR_DDL = readFileSync(require.resolve('connect-pg-simple/table.sql'), 'utf8');

describeWith('postgres', 'PostgresStore', () => {
  let postgres: PostgresServer;
  let admin: Pool;
  let databases = 0;
  const ends: (() => unknown)[] = [];

  beforeAll(async () => {
    postgres = await startPostgres(['-c', 'max_connections=200']);
    admin = newPool();
  }, 60_000);

  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  afterAll(async () => {
    await admin.end();
    await postgres.stop();
  });

  function newPool(config: PoolConfig = {}): Pool {
    const pool = new Pool({ connectionString: postgres.connectionString, ...config });
    pool.on('error', () => {});
    return pool;
  }

  /** A pool on a database of its own, gone after the test. */
  async function freshPool(config: PoolConfig = {}): Promise<Pool> {
    const database = `test${databases++}`;
    await admin.query(`CREATE DATABASE ${database}`);
    return poolOn(database, config);
  }

  function poolOn(database: string, config: PoolConfig = {}): Pool {
    const url = new URL(postgres.connectionString);
    url.pathname = `/${database}`;
    const pool = newPool({ ...config, connectionString: url.href });
    ends.push(() => pool.ended || pool.end());
    return pool;
  }

  function newStore(pool: Pool, options: Partial<PostgresStoreOptions> = {}): PostgresStore {
    const store = new PostgresStore({ pool, createTable: true, ...options });
    ends.push(() => store.close());
    return store;
  }

  function theirStore(pool: Pool, options: object = {}) {
    const store = new PgStore({ pool, pruneSessionInterval: false, ...options });
    return {
      get: (id: string) =>
        new Promise<unknown>((resolve, reject) =>
          store.get(id, (error: unknown, session: unknown) => (error ? reject(error) : resolve(session))),
        ),
      set: (id: string, session: object) =>
        new Promise<void>((resolve, reject) =>
          store.set(id, session, (error: unknown) => (error ? reject(error) : resolve())),
        ),
      touch: (id: string, session: object) =>
        new Promise<void>((resolve) => store.touch(id, session, () => resolve())),
    };
  }

  async function expiryOf(pool: Pool, id: string): Promise<number> {
    const { rows } = await pool.query(
      `SELECT (extract(epoch FROM expire::timestamptz) * 1000)::float8 AS at FROM session WHERE sid = $1`,
      [id],
    );
    return rows[0].at;
  }

  describe('on a table of its own', () => {
    let pool: Pool;
    let another: Pool;
    beforeAll(() => {
      [pool, another] = [newPool(), newPool()];
    });
    afterAll(() => Promise.all([pool.end(), another.end()]));

    conformance({
      test,
      store: () => new PostgresStore({ pool, createTable: true }),
      second: () => new PostgresStore({ pool: another, createTable: true }),
      separate: () => new PostgresStore({ pool, table: 'Another Table', createTable: true }),
      ttlGranularity: 100, // the server counts from when it gets the statement, which takes time on a busy machine
      interrupt: async () => {
        await postgres.kill();
        return () => postgres.restart();
      },
    });
  });

  describe('on the table of connect-pg-simple', () => {
    let pool: Pool;
    let another: Pool;
    beforeAll(async () => {
      [pool, another] = [newPool(), newPool()];
      await pool.query(THEIR_DDL.replaceAll('"session"', '"theirs"').replaceAll('session_', 'theirs_'));
    });
    afterAll(() => Promise.all([pool.end(), another.end()]));

    conformance({
      test,
      store: () => new PostgresStore({ pool, table: 'theirs' }),
      second: () => new PostgresStore({ pool: another, table: 'theirs' }),
      ttlGranularity: 100,
      values: 'session',
    });

    test('a text that is not JSON is refused with what to do', async () => {
      const store = new PostgresStore({ pool, table: 'theirs', cleanupInterval: 0 });
      await expect(store.set('a', 'encrypted', { expires: later() })).rejects.toMatchObject({
        code: 'ERR_SESSION_STORE_VALUE',
        message: expect.stringMatching(
          /^PostgresStore: the table's column sess is of type json and what was to be stored is not JSON\. .*ALTER COLUMN sess TYPE text\. \(22P02 /,
        ),
      });
      expect(await store.get('a')).toBe(undefined);
    });
  });

  describe('where the isolation of transactions is stricter by default', () => {
    let pool: Pool;
    beforeAll(() => {
      pool = newPool({ options: '-c default_transaction_isolation=serializable', max: 20 });
    });
    afterAll(() => pool.end());

    conformance({
      test: (name, body, timeout) => {
        if (/^races|^expected/.test(name)) test(name, body, timeout);
      },
      store: () => new PostgresStore({ pool, createTable: true }),
      ttlGranularity: 100,
    });
  });

  describe('statements', () => {
    test('each operation is one', async () => {
      const pool = await freshPool();
      const store = newStore(pool);
      await store.get('a');
      const query = jest.spyOn(pool, 'query');
      const count = async (operation: Promise<unknown>) => {
        await operation;
        return query.mock.calls.splice(0).length;
      };
      const expires = later();
      expect(await count(store.set('a', 'b', { expires }))).toBe(1);
      expect(await count(store.set('a', 'b', { expires, expected: null }))).toBe(1);
      expect(await count(store.set('a', 'c', { expires, expected: 'b' }))).toBe(1);
      expect(await count(store.get('a'))).toBe(1);
      expect(await count(store.touch('a', expires))).toBe(1);
      expect(await count(store.destroy('a'))).toBe(1);
    });

    test('one that began before a record was ended, and comes to it after that, finds it ended', async () => {
      const pool = await freshPool();
      const store = newStore(pool);
      await store.set('a', 'one', { expires: later() });
      const client = await pool.connect();
      ends.push(() => client.release());
      const query = (...args: [string, unknown[]]) => client.query(...args);
      const early = newStore({ query } as unknown as Pool, { createTable: false });
      await client.query('BEGIN'); // the start of all its statements
      await client.query('SELECT now()');
      expect(await store.set('a', 'one', { expires: 0, expected: 'one' })).toBe(true);

      expect(await early.set('a', 'two', { expires: later(), expected: 'one' })).toBe(false);
      expect(await early.touch('a', later())).toBe(false);
      expect(await early.set('a', 'new', { expires: later(), expected: null })).toBe(true);
      await client.query('COMMIT');
      expect(await store.get('a')).toBe('new');
    });

    test('a record expires when it is said to, to the millisecond, by all that write', async () => {
      const pool = await freshPool();
      const store = newStore(pool);
      await store.get('a');
      const expires = later() + 0.5;
      const writes = [
        () => store.set('a', 'one', { expires }),
        () => store.set('a', 'two', { expires, expected: 'one' }),
        () => store.touch('a', expires),
        async () => {
          await store.destroy('a');
          await store.set('a', 'three', { expires, expected: null });
        },
      ];
      for (const write of writes) {
        await pool.query("UPDATE session SET expire = now() + interval '1 day'");
        const start = Date.now();
        await write();
        const off = (await expiryOf(pool, 'a')) - expires;
        expect(off).toBeGreaterThanOrEqual(-2.5);
        expect(off).toBeLessThanOrEqual(Date.now() - start);
      }
    });

    test('a time too far off counts as the last that a Date can hold', async () => {
      const pool = await freshPool();
      const store = newStore(pool);
      expect(await store.set('a', 'text', { expires: Infinity })).toBe(true);
      expect(await store.touch('a', 1e300)).toBe(true);
      expect(await expiryOf(pool, 'a')).toBeGreaterThan(8.63e15);
      expect(await store.get('a')).toBe('text');
    });

    test('an id with NUL in it is an id like any other', async () => {
      const store = newStore(await freshPool());
      for (const id of ['a\0', 'a\0b', 'a']) expect(await store.set(id, id, { expires: later() })).toBe(true);
      expect((await collect(store.ids())).sort()).toEqual(['a', 'a\0', 'a\0b']);
      expect(await store.touch('a\0b', later())).toBe(true);
      expect(await store.touch('a\0c', later())).toBe(false);
      await store.destroy('a\0b');
      expect(await store.get('a\0b')).toBe(undefined);
      expect(await store.get('a\0')).toBe('a\0');
    });

    test('ids lists more than fit a page, and no expired ones', async () => {
      const pool = await freshPool();
      const store = newStore(pool);
      await store.destroy('x');
      await pool.query(
        `INSERT INTO session SELECT n, '{}', now() + interval '1 hour' * sign(n - 500.5) FROM generate_series(1, 1600) n`,
      );
      const ids = Array.from({ length: 1100 }, (_, n) => `${n + 501}`);
      expect((await collect(store.ids())).sort()).toEqual(ids.sort());
    });
  });

  describe('the table', () => {
    test('ddl gives the statements that create it', () => {
      expect(PostgresStore.ddl()).toBe(`CREATE TABLE IF NOT EXISTS "session" (
  sid text COLLATE "C" PRIMARY KEY,
  sess text NOT NULL,
  expire timestamptz NOT NULL,
  owner text COLLATE "C"
);
CREATE INDEX IF NOT EXISTS "session_expire_idx" ON "session" (expire);
CREATE INDEX IF NOT EXISTS "session_owner_idx" ON "session" (owner, sid) WHERE owner IS NOT NULL;`);
      expect(PostgresStore.ddl('My App.Sessions')).toBe(`CREATE TABLE IF NOT EXISTS "My App"."Sessions" (
  sid text COLLATE "C" PRIMARY KEY,
  sess text NOT NULL,
  expire timestamptz NOT NULL,
  owner text COLLATE "C"
);
CREATE INDEX IF NOT EXISTS "Sessions_expire_idx" ON "My App"."Sessions" (expire);
CREATE INDEX IF NOT EXISTS "Sessions_owner_idx" ON "My App"."Sessions" (owner, sid) WHERE owner IS NOT NULL;`);
    });

    test('may lie in a schema and have a name of 63 bytes; ddl may be run twice', async () => {
      const pool = await freshPool();
      await pool.query('CREATE SCHEMA "My App"');
      const table = `My App.${'x'.repeat(63)}`;
      await pool.query(PostgresStore.ddl(table));
      await pool.query(PostgresStore.ddl(table));
      const store = newStore(pool, { table, createTable: false });
      await store.set('a', 'text', { expires: later() });
      expect(await store.get('a')).toBe('text');
      const { rows } = await pool.query('SELECT indexname FROM pg_indexes WHERE schemaname = $1 ORDER BY 1', [
        'My App',
      ]);
      expect(rows.map(({ indexname }) => indexname)).toEqual([
        `${'x'.repeat(50)}_expire_idx`,
        `${'x'.repeat(50)}_owner_idx`,
        `${'x'.repeat(58)}_pkey`,
      ]);
    });

    test('is created once, however many stores start at once', async () => {
      const pool = await freshPool({ max: 20 });
      for (let round = 0; round < 5; round++) {
        const stores = Array.from({ length: 10 }, () => newStore(pool, { table: `round${round}` }));
        const answers = stores.map((store, n) => store.set(`${n}`, 'text', { expires: later() }));
        expect(await Promise.all(answers)).toEqual(Array(10).fill(true));
      }
    });

    test('that is there is left as it is, and needs no right to create tables', async () => {
      const pool = await freshPool();
      await pool.query(`${THEIR_DDL}; DROP ROLE IF EXISTS app; CREATE ROLE app; GRANT ALL ON session TO app;
        REVOKE CREATE ON SCHEMA public FROM public`);
      const store = newStore(poolOn(`test${databases - 1}`, { options: '-c role=app' }), {
        createTable: true,
      });
      expect(await store.set('a', '{}', { expires: later() })).toBe(true);
      const { rows } = await pool.query('SELECT indexname FROM pg_indexes WHERE tablename = $1 ORDER BY 1', [
        'session',
      ]);
      expect(rows.map(({ indexname }) => indexname)).toEqual(['IDX_session_expire', 'session_pkey']);
    });

    test('that is missing is reported by each operation, until it is there', async () => {
      const pool = await freshPool();
      const store = new PostgresStore({ pool, table: 'app.sess' });
      ends.push(() => store.close());
      const missing = {
        name: 'SteadyError',
        code: 'ERR_SESSION_STORE_TABLE',
        message:
          'PostgresStore: there is no table "app.sess" in this database. To create it, pass createTable: true, or run ' +
          'what PostgresStore.ddl("app.sess") gives. (42P01 relation "app.sess" does not exist)',
        cause: expect.objectContaining({ code: '42P01' }),
      };
      const expires = later();
      await expect(store.get('a')).rejects.toMatchObject(missing);
      await expect(store.set('a', 'b', { expires })).rejects.toMatchObject(missing);
      await expect(store.set('a', 'b', { expires, expected: null })).rejects.toMatchObject(missing);
      await expect(store.set('a', 'b', { expires, expected: 'c' })).rejects.toMatchObject(missing);
      await expect(store.touch('a', expires)).rejects.toMatchObject(missing);
      await expect(store.destroy('a')).rejects.toMatchObject(missing);
      await expect(collect(store.ids())).rejects.toMatchObject(missing);
      await expect(store.deleteExpired()).rejects.toMatchObject(missing);
      await pool.query(`CREATE SCHEMA app; ${PostgresStore.ddl('app.sess')}`);
      expect(await store.get('a')).toBe(undefined);
    });

    test('that is dropped is reported by one operation, and created again by the next', async () => {
      const pool = await freshPool();
      const store = newStore(pool);
      const dropped = {
        code: 'ERR_SESSION_STORE_TABLE',
        message:
          'PostgresStore: the table "session" was dropped. The next operation creates it again. ' +
          '(42P01 relation "session" does not exist)',
      };
      expect(await store.set('a', '{}', { expires: later(), owner: 'ann' })).toBe(true);
      for (const operation of [() => store.get('a'), () => store.set('a', '{}', { expires: later() })]) {
        await pool.query('DROP TABLE session');
        await expect(operation()).rejects.toMatchObject(dropped);
        expect(await store.set('a', '{}', { expires: later(), owner: 'ann' })).toBe(true);
        expect(await collect(store.owned('ann'))).toMatchObject([{ key: 'a' }]);
      }
    });

    test('that is replaced by one without owners, or by one with them, is looked at anew', async () => {
      const pool = await freshPool();
      const store = newStore(pool, { createTable: false });
      const write = () => store.set('a', '{}', { expires: later(), owner: 'ann' });
      await expect(write()).rejects.toMatchObject({ cause: { code: '42P01' } });
      await pool.query(PostgresStore.ddl());
      expect(await write()).toBe(true);
      expect((await pool.query('SELECT owner FROM session')).rows).toEqual([{ owner: 'ann' }]);
      await pool.query(`DROP TABLE session; ${THEIR_DDL}`);
      await expect(write()).rejects.toMatchObject({ cause: { code: '42703' } });
      expect(await write()).toBe(true);
    });

    test('that could not be created is tried again', async () => {
      const pool = await freshPool();
      const store = newStore(pool, { table: 'app.sess' });
      await expect(store.get('a')).rejects.toMatchObject({ cause: { code: '3F000' } });
      await pool.query('CREATE SCHEMA app');
      expect(await store.get('a')).toBe(undefined);
    });

    test.each([
      'CREATE TABLE session (id text, data text)',
      'CREATE TABLE session (sid text, sess text, expire timestamptz)',
    ])('of something else is reported: %s', async (ddl) => {
      const pool = await freshPool();
      await pool.query(ddl);
      const store = newStore(pool, { createTable: false });
      await expect(store.set('a', 'b', { expires: later() })).rejects.toMatchObject({
        code: 'ERR_SESSION_STORE_TABLE',
        message: expect.stringMatching(
          /^PostgresStore: "session" is not a table for sessions\. Choose another/,
        ),
      });
    });
  });

  describe('connect-pg-simple', () => {
    const session = { cookie: { originalMaxAge: HOUR, path: '/' }, user: 'Zoë "\u2028\0"' };
    const withExpiry = (expires: number) => ({
      ...session,
      cookie: { ...session.cookie, expires: new Date(expires) },
    });

    // On a table without time zone both must mean the same instant, whatever zone the connections have.
    describe.each(['UTC', 'America/New_York', 'Asia/Kolkata'])('with connections in %s', (zone) => {
      const options = `-c TimeZone=${zone}`;

      test.each([
        ['its table', THEIR_DDL],
        ['the table of PostgresStore', PostgresStore.ddl()],
      ])('reads and prolongs on %s what the store wrote', async (_table, ddl) => {
        const pool = await freshPool({ options });
        await pool.query(ddl);
        const theirs = theirStore(pool);
        const store = newStore(pool, { createTable: false });
        await store.set('live', JSON.stringify(session), { expires: Date.now() + 60_000 });
        await store.set('dead', JSON.stringify(session), { expires: Date.now() - 2000 });
        expect(await theirs.get('live')).toEqual(session);
        expect(await theirs.get('dead')).toBe(undefined);
        const expires = later();
        await theirs.touch('live', withExpiry(expires));
        expect(Math.abs((await expiryOf(pool, 'live')) - expires)).toBeLessThanOrEqual(1000);
      });

      test.each([
        ['its table', THEIR_DDL],
        ['the table of PostgresStore', PostgresStore.ddl()],
      ])('is read, changed and prolonged on %s by the store', async (_table, ddl) => {
        const pool = await freshPool({ options });
        await pool.query(ddl);
        const theirs = theirStore(pool);
        const store = newStore(pool, { createTable: false });
        const text = JSON.stringify(withExpiry(Date.now() + 60_000));
        await theirs.set('live', JSON.parse(text));
        await theirs.set('dead', withExpiry(Date.now() - 2000));
        expect(await store.get('live')).toBe(text);
        expect(await store.get('dead')).toBe(undefined);
        expect(await store.touch('live', later())).toBe(true);
        expect(Math.abs((await expiryOf(pool, 'live')) - later())).toBeLessThanOrEqual(1000);
        expect(await store.set('live', '{"cookie":{}}', { expires: later(), expected: text })).toBe(true);
        expect(await theirs.get('live')).toEqual({ cookie: {} });
        expect(await collect(store.ids())).toEqual(['live']);
        expect(await store.deleteExpired()).toBe(1);
      });
    });

    test("on the store's own table the time zones of connections may differ", async () => {
      const east = await freshPool({ options: '-c TimeZone=Asia/Tokyo' });
      const west = poolOn(`test${databases - 1}`, { options: '-c TimeZone=America/Los_Angeles' });
      const [a, b] = [newStore(east), newStore(west)];
      await a.set('live', 'text', { expires: Date.now() + 60_000 });
      await b.set('dead', 'text', { expires: Date.now() - 1 });
      expect(await b.get('live')).toBe('text');
      expect(await a.get('dead')).toBe(undefined);
      expect(await a.deleteExpired()).toBe(1);
    });
  });

  describe('clean-up', () => {
    const fill = async (pool: Pool, count: number) => {
      await pool.query(`INSERT INTO session SELECT 'old' || n, '{}', now() FROM generate_series(1, $1) n`, [
        count,
      ]);
      await pool.query(
        `INSERT INTO session VALUES ('live', '{}', now() + interval '1 hour') ON CONFLICT DO NOTHING`,
      );
    };
    const left = async (pool: Pool) =>
      (await pool.query('SELECT sid FROM session ORDER BY sid')).rows.map(({ sid }) => sid);

    test('deleteExpired removes what has expired, in slices', async () => {
      const pool = await freshPool();
      const store = newStore(pool);
      await store.get('x');
      await fill(pool, 1200);
      const query = jest.spyOn(pool, 'query');
      expect(await store.deleteExpired()).toBe(1200);
      expect(query).toHaveBeenCalledTimes(3);
      query.mockRestore();
      expect(await left(pool)).toEqual(['live']);
      expect(await store.deleteExpired()).toBe(0);
    });

    test('several stores may clean up at once', async () => {
      const pool = await freshPool();
      const stores = Array.from({ length: 4 }, () => newStore(pool));
      await stores[0]!.get('x');
      await fill(pool, 3000);
      const removed = await Promise.all(stores.map((store) => store.deleteExpired()));
      expect(removed.reduce((a, b) => a + b)).toBe(3000);
      expect(await left(pool)).toEqual(['live']);
    });

    test('does not wait for a row that is in use', async () => {
      const pool = await freshPool();
      const store = newStore(pool);
      await store.get('x');
      await fill(pool, 3);
      const other = await pool.connect();
      await other.query('BEGIN');
      await other.query("UPDATE session SET sess = '{}' WHERE sid = 'old2'");
      expect(await store.deleteExpired()).toBe(2);
      await other.query('COMMIT');
      other.release();
      expect(await left(pool)).toEqual(['live', 'old2']);
      expect(await store.deleteExpired()).toBe(1);
    });

    test('happens by itself, again and again', async () => {
      const pool = await freshPool();
      const store = newStore(pool, { cleanupInterval: 5 });
      await store.get('x');
      for (let round = 0; round < 2; round++) {
        await fill(pool, 3);
        await eventually(async () => ((await left(pool)).length === 1 ? true : undefined));
      }
    });

    test('goes on after a failure, which is a warning, once', async () => {
      const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
      const pool = await freshPool();
      newStore(pool, { createTable: false, cleanupInterval: 5 });
      await eventually(() => warn.mock.calls[0]);
      await pool.query(PostgresStore.ddl());
      await fill(pool, 3);
      await eventually(async () => ((await left(pool)).length === 1 ? true : undefined));
      expect(warn.mock.calls).toEqual([
        [
          expect.stringMatching(
            /^Expired sessions could not be removed, which will be tried again\. PostgresStore: there is no table "session"/,
          ),
          { type: 'SteadySessionWarning', code: 'WARN_SESSION_STORE_CLEANUP' },
        ],
      ]);
      warn.mockRestore();
    });

    test('finds expired rows by the index', async () => {
      const pool = await freshPool();
      await newStore(pool).get('x');
      await pool.query('SET enable_seqscan = off');
      const client = await pool.connect();
      await client.query('SET enable_seqscan = off');
      const { rows } = await client.query('EXPLAIN SELECT sid FROM session WHERE expire <= now() LIMIT 500');
      client.release();
      expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('session_expire_idx');
    });
  });

  describe('trouble', () => {
    const at = (place: Partial<URL>, config: PoolConfig = {}) => {
      const url = Object.assign(new URL(postgres.connectionString), place);
      const pool = newPool({ ...config, connectionString: url.href });
      ends.push(() => pool.end());
      return newStore(pool, { createTable: false });
    };

    test.each([
      ['a wrong password', { password: 'wrong' }, '28P01'],
      ['a database that is not there', { pathname: '/nowhere' }, '3D000'],
    ])('%s', async (_what, place, code) => {
      await expect(at(place).get('a')).rejects.toMatchObject({
        code: 'ERR_SESSION_STORE_DENIED',
        message: expect.stringMatching(
          /^PostgresStore: the server refuses the user, the password or the database.* Check the pool's settings/,
        ),
        cause: { code },
      });
    });

    test('a missing password', async () => {
      const store = at({ password: '' }, { password: () => undefined as unknown as string });
      await expect(store.get('a')).rejects.toMatchObject({ code: 'ERR_SESSION_STORE_DENIED' });
    });

    test('a user who may not use the table', async () => {
      const pool = await freshPool();
      await pool.query(`${PostgresStore.ddl()}; DROP ROLE IF EXISTS stranger; CREATE ROLE stranger`);
      const stranger = poolOn(`test${databases - 1}`, { options: '-c role=stranger' });
      await expect(newStore(stranger, { createTable: false }).get('a')).rejects.toMatchObject({
        code: 'ERR_SESSION_STORE_DENIED',
        cause: { code: '42501' },
      });
    });

    test('a read-only connection: reads go on, writes are reported', async () => {
      const pool = await freshPool();
      await newStore(pool).set('a', 'text', { expires: later() });
      const readOnly = poolOn(`test${databases - 1}`, { options: '-c default_transaction_read_only=on' });
      const store = newStore(readOnly, { createTable: false });
      expect(await store.get('a')).toBe('text');
      await expect(store.touch('a', later())).rejects.toMatchObject({
        code: 'ERR_SESSION_STORE_READ_ONLY',
        message: expect.stringMatching(
          /^PostgresStore: the server or the connection is read-only\. Connect the pool/,
        ),
      });
    });

    test('a full disk', async () => {
      const pool = await freshPool();
      const store = newStore(pool);
      await store.get('a');
      await pool.query(`CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
        CREATE TRIGGER full_disk BEFORE INSERT ON session EXECUTE FUNCTION full_disk()`);
      await expect(store.set('a', 'b', { expires: later() })).rejects.toMatchObject({
        code: 'ERR_SESSION_STORE_FULL',
        message: expect.stringMatching(
          /^PostgresStore: the server has no disk space or memory left for a write\./,
        ),
      });
    });

    test('each operation reports a server that is down, and works again when it is back', async () => {
      const pool = await freshPool();
      const store = newStore(pool);
      await store.set('a', 'kept', { expires: later() });
      await postgres.kill();
      try {
        const lost = {
          name: 'SteadyError',
          code: 'ERR_SESSION_STORE_UNREACHABLE',
          message: expect.stringMatching(
            /^PostgresStore: there is no connection to the server\. Check that it runs/,
          ),
          cause: expect.any(Object),
        };
        const expires = later();
        await expect(store.get('a')).rejects.toMatchObject(lost);
        await expect(store.set('a', 'b', { expires })).rejects.toMatchObject(lost);
        await expect(store.set('a', 'b', { expires, expected: null })).rejects.toMatchObject(lost);
        await expect(store.set('a', 'b', { expires, expected: 'kept' })).rejects.toMatchObject(lost);
        await expect(store.touch('a', expires)).rejects.toMatchObject(lost);
        await expect(store.destroy('a')).rejects.toMatchObject(lost);
        await expect(collect(store.ids())).rejects.toMatchObject(lost);
      } finally {
        await postgres.restart();
      }
      expect(await store.get('a')).toBe('kept');
    });

    test('a connection that ends in the middle of a statement', async () => {
      const pool = await freshPool();
      const store = newStore(pool);
      await store.set('a', 'kept', { expires: later() });
      const blocker = await pool.connect();
      await blocker.query('BEGIN; LOCK TABLE session');
      const answer = store.get('a');
      const caught = expect(answer).rejects.toMatchObject({ code: 'ERR_SESSION_STORE_UNREACHABLE' });
      await eventually(async () => {
        const { rowCount } = await admin.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'sess::text'`,
        );
        return rowCount || undefined;
      });
      await caught;
      await blocker.query('ROLLBACK');
      blocker.release();
      expect(await store.get('a')).toBe('kept');
    });

    test('a server that crashes in the middle of a statement', async () => {
      const pool = await freshPool();
      const store = newStore(pool);
      await store.set('a', 'kept', { expires: later() });
      const blocker = await pool.connect();
      blocker.on('error', () => {});
      await blocker.query('BEGIN; LOCK TABLE session');
      const caught = expect(store.get('a')).rejects.toMatchObject({ code: 'ERR_SESSION_STORE_UNREACHABLE' });
      await eventually(async () => {
        const { rowCount } = await admin.query(
          "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
        );
        return rowCount || undefined;
      });
      await postgres.kill();
      await caught;
      blocker.release(true);
      await postgres.restart();
      expect(await store.get('a')).toBe('kept');
    });

    test('a pool that was ended', async () => {
      const pool = await freshPool();
      const store = newStore(pool);
      await pool.end();
      await expect(store.get('a')).rejects.toMatchObject({
        code: 'ERR_SESSION_STORE_UNREACHABLE',
        message: expect.stringContaining('that the pool has not been ended'),
      });
    });

    test('an idle connection that is lost while nobody listens is a warning, and not the end of the process', async () => {
      const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
      const pool = new Pool({ connectionString: postgres.connectionString });
      ends.push(() => pool.end());
      const store = newStore(pool);
      await store.set('idle', 'text', { expires: later() });
      await admin.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = 'postgres'",
      );
      await eventually(() => warn.mock.calls[0]);
      expect(warn.mock.calls).toEqual([
        [
          expect.stringMatching(
            /^The client of PostgresStore reported an error and the app does not listen for its errors: terminating connection/,
          ),
          { type: 'SteadySessionWarning', code: 'WARN_SESSION_STORE_CLIENT' },
        ],
      ]);
      expect(await store.get('idle')).toBe('text');
      warn.mockRestore();
    });
  });

  test('close ends the timer of the clean-up', () => {
    jest.useFakeTimers();
    const store = new PostgresStore({ pool: new Pool() });
    expect(jest.getTimerCount()).toBe(1);
    store.close();
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  test('a server that was never there is reported', async () => {
    const pool = new Pool({ host: '127.0.0.1', port: await freePort() });
    const store = newStore(pool);
    await expect(store.get('a')).rejects.toMatchObject({ code: 'ERR_SESSION_STORE_UNREACHABLE' });
    await pool.end();
  });
});

test('a client in the place of the pool is warned of, once', () => {
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
  for (const _ of [1, 2]) new PostgresStore({ pool: new Client() as unknown as Pool }).close();
  expect(warn.mock.calls).toEqual([
    [
      expect.stringMatching(/^PostgresStore was given a Client: .* Give it a Pool\./),
      { type: 'SteadySessionWarning', code: 'WARN_SESSION_STORE_POOL' },
    ],
  ]);
  warn.mockRestore();
});

describe('options of PostgresStore', () => {
  const pool = { query: jest.fn() };
  const all = '{ pool, table, createTable, cleanupInterval, notify }';
  const wrongPool = (described: string) =>
    `PostgresStore: pool option must be a Pool of pg; got ${described}. ` +
    'For example: new PostgresStore({ pool: new Pool({ connectionString }) })';
  const wrongTable = (described: string) =>
    `PostgresStore: table option must be "table" or "schema.table", without quotation marks; got ${described}`;

  test.each([
    [undefined, `PostgresStore needs an object of options (${all}); got undefined`],
    ['postgres://a:secret@host/db', `PostgresStore needs an object of options (${all}); got a string`],
    [
      pool,
      'PostgresStore needs an object of options; got an object (Object), which is its option pool: pass { pool }, as in new PostgresStore({ pool })',
    ],
    [{}, wrongPool('undefined')],
    [{ pool: 'postgres://a:secret@host/db' }, wrongPool('a string')],
    [{ pool: { connect: 1 } }, wrongPool('an object (Object)')],
    [{ pool: Promise.resolve(pool) }, wrongPool('an object (Promise); wait for it: `await ...`')],
    [{ pool, tableName: 'a' }, 'PostgresStore has no option tableName; it is table'],
    [
      { pool, schemaName: 'a' },
      'PostgresStore has no option schemaName; it is part of table: "schema.table"',
    ],
    [{ pool, createTabel: true }, 'PostgresStore has no option createTabel; did you mean createTable?'],
    [{ pool, table: '' }, wrongTable('""')],
    [{ pool, table: 'a"b' }, wrongTable('"a\\"b"')],
    [{ pool, table: 'a.b.c' }, wrongTable('"a.b.c"')],
    [{ pool, table: 'a.' }, wrongTable('"a."')],
    [{ pool, table: 'a\0' }, wrongTable('"a\\u0000"')],
    [{ pool, table: 'é'.repeat(32) }, wrongTable(`"${'é'.repeat(32)}"`)],
    [{ pool, table: 5 }, wrongTable('5 (number)')],
    [{ pool, createTable: 'yes' }, 'PostgresStore: createTable option must be true or false; got "yes"'],
    [{ pool, notify: 'no' }, 'PostgresStore: notify option must be true or false; got "no"'],
    [
      { pool, cleanupInterval: Infinity },
      'PostgresStore: cleanupInterval option must be a number of milliseconds from 0 (never) to 1000000000; got Infinity (number)',
    ],
  ])('%p is refused', (options, message) => {
    expect(() => new PostgresStore(options as never)).toThrow(new TypeError(message));
  });

  test('ddl refuses what cannot be a table', () => {
    expect(() => PostgresStore.ddl('a"; DROP TABLE b; --')).toThrow(
      new TypeError(wrongTable('"a\\"; DROP TABLE b; --"')),
    );
  });
});
