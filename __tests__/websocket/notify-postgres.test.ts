import { Client, Pool } from 'pg';
import { PostgresStore } from '../../lib/stores/postgres.js';
import { eventually } from '../support/async.js';
import { describeWith, type PostgresServer, startPostgres } from '../support/servers.js';
import { closeAll, closeLater, hashed, startSite } from './support.js';

afterEach(closeAll);

const HOUR = 3_600_000;
const later = () => Date.now() + HOUR;

describeWith('postgres', 'PostgresStore with notify', () => {
  let postgres: PostgresServer;
  let direct: Pool;
  let databases = 0;

  beforeAll(async () => {
    postgres = await startPostgres();
    direct = new Pool({ connectionString: postgres.connectionString }).on('error', () => {});
  }, 60_000);
  afterAll(async () => {
    await direct.end();
    await postgres.stop();
  });

  /** A database of its own for each test: channels are the database's. */
  async function freshUrl(): Promise<string> {
    const database = `notices${databases++}`;
    await direct.query(`CREATE DATABASE ${database}`);
    const url = new URL(postgres.connectionString);
    url.pathname = `/${database}`;
    return url.href;
  }

  function open(connectionString: string, options: object = {}) {
    const pool = new Pool({ connectionString }).on('error', () => {});
    closeLater(() => pool.ended || pool.end());
    const store = new PostgresStore({ pool, createTable: true, notify: true, ...options });
    closeLater(() => store.close());
    return { pool, store };
  }

  /** The connections that listen, by their names: how many, and what to end them by. */
  async function listeners(url: string): Promise<number[]> {
    const { rows } = await direct.query(
      "SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN %' AND datname = $1",
      [new URL(url).pathname.slice(1)],
    );
    return rows.map(({ pid }) => pid);
  }

  const untilListeners = (url: string, count: number) =>
    eventually(async () => ((await listeners(url)).length === count ? count : undefined));

  test('tells all processes of what one destroys, by its hash, until they have heard enough', async () => {
    const url = await freshUrl();
    const { store: listening } = open(url);
    const { store: destroying } = open(url);
    const heard: string[] = [];
    for (const id of ['a', 'b', 'sha256-c']) await destroying.set(id, 'text', { expires: later() });
    const stop = await listening.onDestroy!((name) => heard.push(name));
    await destroying.destroy('a');
    await destroying.destroy('a'); // is gone already
    await destroying.destroy('sha256-c'); // stored under a hash
    await eventually(() => heard[1]);
    stop();
    await untilListeners(url, 0);
    await destroying.destroy('b');

    expect(heard).toEqual([hashed('a'), 'sha256-c']);
    expect(await destroying.get('b')).toBe(undefined);
  });

  test('its connection does not keep the process alive', async () => {
    const { store } = open(await freshUrl());
    const unref = jest.spyOn(Client.prototype as unknown as { unref(): void }, 'unref');
    await store.onDestroy!(() => {});

    expect(unref).toHaveBeenCalledTimes(1);
    unref.mockRestore();
  });

  test('the notice and the deletion are one statement, which says nothing when it is undone', async () => {
    const url = await freshUrl();
    const { store, pool } = open(url);
    await store.set('a', 'text', { expires: later() });
    const heard: string[] = [];
    await store.onDestroy!((name) => heard.push(name));
    const query = jest.spyOn(pool, 'query');
    await store.destroy('a');
    expect(query).toHaveBeenCalledTimes(1);
    await eventually(() => heard[0]);
    await store.set('b', 'text', { expires: later() });
    const [text] = query.mock.calls[0] as unknown as [string];
    const client = await pool.connect();
    await client.query('BEGIN');
    await client.query(text, (query.mock.calls[0] as unknown[])[1] as string[]);
    await client.query('ROLLBACK');
    client.release();
    await store.destroy('b');
    await eventually(() => heard[1]);

    expect(heard).toEqual([hashed('a'), hashed('b')]);
  });

  test('tables have a channel each, however long their names', async () => {
    const url = await freshUrl();
    const tables = ['session', 'x'.repeat(63), `public.${'y'.repeat(63)}`];
    const heard: string[] = [];
    for (const table of tables) {
      const { store } = open(url, { table });
      await store.set('a', 'text', { expires: later() });
      await store.onDestroy!(() => heard.push(table));
    }
    for (const [n, table] of tables.entries()) {
      await open(url, { table }).store.destroy('a');
      await eventually(() => heard[n]);
    }

    expect(heard).toEqual(tables);
  });

  test('listens again when its connection is lost, and when the server is back', async () => {
    const url = await freshUrl();
    const { store } = open(url);
    const heard: string[] = [];
    await store.set('a', 'text', { expires: later() });
    await store.onDestroy!((name) => heard.push(name));
    const [first] = await listeners(url);
    await direct.query('SELECT pg_terminate_backend($1)', [first]);
    const second = await eventually(async () => (await listeners(url)).find((pid) => pid !== first));
    expect(second).not.toBe(first);
    await store.destroy('a');
    await eventually(() => heard[0]);

    await postgres.restart();
    await eventually(async () => ((await listeners(url)).length === 1 ? true : undefined));
    await store.set('b', 'text', { expires: later() });
    await store.destroy('b');
    await eventually(() => heard[1]);
    expect(heard).toEqual([hashed('a'), hashed('b')]);
  });

  test('waits longer and longer for a server that takes it and drops it', async () => {
    const url = await freshUrl();
    const { store } = open(url);
    await store.set('a', 'text', { expires: later() });
    await store.onDestroy!(() => {});
    const dropped = new Set<number>();
    const next = () => eventually(async () => (await listeners(url)).find((pid) => !dropped.has(pid)));
    let start = 0;
    for (let drops = 0; drops < 6; drops++) {
      const pid = await next();
      dropped.add(pid);
      await direct.query('SELECT pg_terminate_backend($1)', [pid]);
      start = performance.now();
    }
    await next();

    expect(performance.now() - start).toBeGreaterThan(100 * 2 ** 5 * 0.5); // the other half of a pause is by chance
  }, 30_000);

  test('waits for a server that is away, and close() ends the waiting', async () => {
    const url = await freshUrl();
    const { store } = open(url);
    await store.get('a');
    const warned: string[] = [];
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation((...args: any[]) => {
      warned.push(args[1].code, args[0]);
    });
    await postgres.kill();
    const listening = store.onDestroy!(() => {});
    await eventually(() => (warned.includes('WARN_SESSION_STORE_NOTICES') ? true : undefined));
    await postgres.restart();
    await listening;
    warn.mockRestore();
    expect((await listeners(url)).length).toBe(1);
    expect(warned[1]).toMatch(
      /^PostgresStore: there is no connection to hear of destroyed sessions by, which will be tried again\. Until then, what other processes destroy is noticed within checkInterval\. \(connect ECONNREFUSED /,
    );

    await postgres.kill();
    const waiting = open(url).store;
    const never = waiting.onDestroy!(() => {});
    waiting.close();
    const stop = await never;
    stop();
    await postgres.restart();
    await untilListeners(url, 1); // that of the first store, which goes on
    store.close();
    expect(await untilListeners(url, 0)).toBe(0);
  });

  test('listens only where sockets are open, and its connection ends with the pool', async () => {
    const url = await freshUrl();
    const { store, pool } = open(url);
    const site = await startSite({ options: { store } });
    await site.inRequest((req) => void Object.assign(req.session, { user: 'ada' }));
    expect(await listeners(url)).toEqual([]);
    await site.open();
    await untilListeners(url, 1);
    await pool.end();

    expect(await untilListeners(url, 0)).toBe(0);
  });

  test('its connection has the settings of the pool, a password that it hides, too', async () => {
    const url = await freshUrl();
    const made: object[] = [];
    class Watched extends Client {
      constructor(config: any) {
        super(config);
        made.push(config);
      }
    }
    const { hostname, port, username, password, pathname } = new URL(url);
    const pool = new Pool({
      host: hostname,
      port: Number(port),
      user: username,
      password: password || 'unused',
      database: pathname.slice(1),
      application_name: 'the app',
      Client: Watched,
    } as object);
    closeLater(() => pool.end());
    const store = new PostgresStore({ pool, notify: true, cleanupInterval: 0 });
    const stop = await store.onDestroy!(() => {});
    stop();

    expect(made).toEqual([
      expect.objectContaining({
        application_name: 'the app',
        password: password || 'unused',
        keepAlive: true,
        keepAliveInitialDelayMillis: 10_000,
      }),
    ]);
  });

  test('without notify nothing is told, and there is nothing to listen to', async () => {
    const url = await freshUrl();
    const { store: silent } = open(url, { notify: false });
    const { store } = open(url);
    expect(silent.onDestroy).toBe(undefined);
    const heard: string[] = [];
    for (const id of ['a', 'b']) await store.set(id, 'text', { expires: later() });
    await store.onDestroy!((name) => heard.push(name));
    await silent.destroy('a');
    await store.destroy('b');
    await eventually(() => heard[0]);

    expect(heard).toEqual([hashed('b')]);
  });

  test('a pool that is none of pg is refused', () => {
    expect(
      () => new PostgresStore({ pool: { query: async () => ({ rows: [], rowCount: 0 }) }, notify: true }),
    ).toThrow(
      new TypeError('PostgresStore: notify needs a Pool of pg, whose settings its own connection can have'),
    );
  });
});
