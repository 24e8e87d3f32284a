import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { conformance } from '../../lib/conformance/index.js';
import { type SqliteDatabase, SqliteStore, type SqliteStoreOptions } from '../../lib/stores/sqlite.js';
import { collect, eventually } from '../support/async.js';
import { compile } from '../support/compile.js';
import { describeWith } from '../support/servers.js';
import { databaseExpression, openDatabase, sqliteClients } from '../support/sqlite.js';

const HOUR = 3_600_000;
const later = () => Date.now() + HOUR;
const hasNodeSqlite = isBuiltin('node:sqlite');

const clients = sqliteClients();

let dir: string;
let files = 0;
const open: { close(): unknown }[] = [];

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'steady-session-sqlite-'));
});
afterAll(() => rmSync(dir, { recursive: true }));
afterEach(() => {
  for (const thing of open.splice(0)) {
    try {
      thing.close();
    } catch {} // the test has closed it
  }
});

const newFile = () => join(dir, `${files++}.db`);

function opened<T extends { close(): unknown }>(thing: T): T {
  open.unshift(thing);
  return thing;
}

describeWith('sqlite', 'SqliteStore', () => {
  describe.each(clients)('with %s', (client) => {
    const newDatabase = (file = newFile()) => {
      const database = opened(openDatabase(client, file));
      database.exec('PRAGMA synchronous = OFF'); // no test takes the power away, and flushing takes long
      return database;
    };
    const newStore = (database: SqliteDatabase = newDatabase(), options: Partial<SqliteStoreOptions> = {}) =>
      opened(new SqliteStore({ database, ...options }));
    const rows = (database: SqliteDatabase, sql: string) =>
      database
        .prepare(sql)
        .all()
        .map((row) => Object.values(row as object));

    let file: string;
    conformance({
      test,
      store: () => {
        file = newFile();
        return newStore(newDatabase(file));
      },
      second: () => newStore(newDatabase(file)),
      separate: () => newStore(newDatabase(file), { table: 'another' }),
    });

    test('the rows are the texts as they are, with their expiry and owner', async () => {
      const database = newDatabase();
      const store = newStore(database);
      await store.set('id', '{"a":"ü"}', { expires: 1e13 + 0.7 });
      await store.set('mine', '{}', { expires: 1e13, owner: 'ada' });
      expect(rows(database, 'SELECT * FROM sessions')).toEqual([
        ['id', '{"a":"ü"}', 1e13, null],
        ['mine', '{}', 1e13, 'ada'],
      ]);
    });

    test('the database works with a write-ahead log and waits for other writers', () => {
      const database = newDatabase();
      database.exec('PRAGMA busy_timeout = 0');
      newStore(database);
      expect(rows(database, 'PRAGMA journal_mode')).toEqual([['wal']]);
      expect(rows(database, 'PRAGMA busy_timeout')).toEqual([[5000]]);
    });

    test('a waiting time that the app has set stays', () => {
      const database = newDatabase();
      database.exec('PRAGMA busy_timeout = 7');
      newStore(database);
      expect(rows(database, 'PRAGMA busy_timeout')).toEqual([[7]]);
    });

    test('clean-up finds expired rows by an index', () => {
      const database = newDatabase();
      newStore(database);
      const plan = rows(database, 'EXPLAIN QUERY PLAN SELECT rowid FROM sessions WHERE expires <= 1 LIMIT 9');
      expect(plan.flat().join()).toMatch(/USING COVERING INDEX sessions_expires \(expires<\?\)/);
    });

    test('sessions survive a restart', async () => {
      const where = newFile();
      const first = openDatabase(client, where);
      const store = new SqliteStore({ database: first });
      await store.set('id', 'kept', { expires: later() });
      store.close();
      first.close();
      expect(await newStore(newDatabase(where)).get('id')).toBe('kept');
    });

    test.each(['se"ss; DROP', "it's", 'a b', 'select', 'Ünï'])('a table may be called %p', async (table) => {
      const database = newDatabase();
      const store = newStore(database, { table });
      await store.set('id', 'text', { expires: later() });
      expect(await store.get('id')).toBe('text');
      expect(await store.set('id', 'next', { expires: later(), expected: 'text' })).toBe(true);
      expect(rows(database, "SELECT name FROM sqlite_schema WHERE type = 'table'")).toEqual([[table]]);
    });

    test('ids lists more than fit a page, while others write and the list is being read', async () => {
      const store = newStore();
      for (let n = 0; n < 1001; n++) await store.set(`${n}`, 'text', { expires: n === 500 ? 1 : later() });
      const listed: string[] = [];
      for await (const id of store.ids()) {
        listed.push(id);
        await store.touch(id, later());
      }
      const expected = Array.from({ length: 1001 }, (_, n) => `${n}`).filter((id) => id !== '500');
      expect(listed.sort()).toEqual(expected.sort());
    });

    test('an id with NUL in it is an id like any other', async () => {
      const store = newStore();
      for (const id of ['a\0', 'a\0b', 'a']) expect(await store.set(id, id, { expires: later() })).toBe(true);
      expect((await collect(store.ids())).sort()).toEqual(['a', 'a\0', 'a\0b']);
      expect(await store.touch('a\0b', later())).toBe(true);
      expect(await store.touch('a\0c', later())).toBe(false);
      await store.destroy('a\0b');
      expect(await store.get('a\0b')).toBe(undefined);
      expect(await store.get('a\0')).toBe('a\0');
    });

    test('an expiry that is far off or not whole is kept as far as a Date reaches', async () => {
      const database = newDatabase();
      const store = newStore(database);
      await store.set('far', 'text', { expires: Infinity });
      expect(await store.touch('far', 1e300)).toBe(true);
      expect(rows(database, 'SELECT expires FROM sessions')).toEqual([[8.64e15]]);
      expect(await store.touch('far', Date.now() + 0.5)).toBe(true);
      expect(await store.get('far')).toBe(undefined);
    });

    describe('clean-up', () => {
      const fill = async (store: SqliteStore, count: number) => {
        for (let n = 0; n < count; n++) await store.set(`${n}`, 'text', { expires: 1 });
        await store.set('live', 'text', { expires: later() });
      };
      const count = (database: SqliteDatabase) => rows(database, 'SELECT count(*) FROM sessions')[0]![0];

      test('deleteExpired removes what has expired, in slices with pauses', async () => {
        const database = newDatabase();
        const store = newStore(database);
        await fill(store, 1200);
        const seen: unknown[] = [];
        const watch = () => {
          seen.push(count(database));
          if (seen.length < 2) setImmediate(watch);
        };
        setImmediate(watch);
        expect(await store.deleteExpired()).toBe(1200);
        expect(seen).toEqual([701, 201]);
        expect(rows(database, 'SELECT id FROM sessions')).toEqual([['live']]);
        expect(await store.deleteExpired()).toBe(0);
      });

      test('two stores may clean up at once', async () => {
        const where = newFile();
        const stores = [newStore(newDatabase(where)), newStore(newDatabase(where))];
        await fill(stores[0]!, 1200);
        const removed = await Promise.all(stores.map((store) => store.deleteExpired()));
        expect(removed[0]! + removed[1]!).toBe(1200);
        expect(await collect(stores[0]!.ids())).toEqual(['live']);
      });

      test('happens by itself, again and again', async () => {
        const database = newDatabase();
        const store = newStore(database, { cleanupInterval: 5 });
        for (let round = 0; round < 2; round++) {
          await fill(store, 3);
          await eventually(() => (count(database) === 1 ? true : undefined));
        }
      });

      test('ends with close', () => {
        jest.useFakeTimers();
        const store = new SqliteStore({ database: newDatabase() });
        expect(jest.getTimerCount()).toBe(1);
        store.close();
        expect(jest.getTimerCount()).toBe(0);
        jest.useRealTimers();
      });

      test('goes on after a failure, which is a warning', async () => {
        const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
        const database = newDatabase();
        const store = newStore(database, { cleanupInterval: 5 });
        database.exec('DROP TABLE sessions');
        await eventually(() => warn.mock.calls[0]);
        await fill(store, 3);
        await eventually(() => (count(database) === 1 ? true : undefined));
        expect(warn.mock.calls).toEqual([
          [
            expect.stringMatching(
              /^Expired sessions could not be removed, which will be tried again\. SqliteStore: the table was dropped\./,
            ),
            { type: 'SteadySessionWarning', code: 'WARN_SESSION_STORE_CLEANUP' },
          ],
        ]);
        warn.mockRestore();
      });
    });

    describe('trouble', () => {
      test('a table of something else', () => {
        const database = newDatabase();
        database.exec('CREATE TABLE sessions (sid TEXT PRIMARY KEY, sess TEXT, expire TEXT)');
        expect(() => new SqliteStore({ database })).toThrow(
          expect.objectContaining({
            name: 'SteadyError',
            code: 'ERR_SESSION_STORE_TABLE',
            message: expect.stringMatching(
              /^SqliteStore: the table exists, but it is not one of SqliteStore\. Choose another name with the option table\. \(.*no such column/,
            ),
          }),
        );
      });

      test('a table that is dropped: one operation reports it, and the next one creates it again', async () => {
        const database = newDatabase();
        const store = newStore(database, { cleanupInterval: 0 });
        const expires = Date.now() + 60_000;
        const operations = [
          () => store.get('a'),
          () => store.set('a', 'text', { expires, owner: 'ann' }),
          () => store.touch('a', expires),
          () => store.destroy('a'),
          () => collect(store.ids()),
          () => collect(store.owned('ann')),
          () => store.deleteExpired(),
        ];
        for (const operation of operations) {
          database.exec('DROP TABLE sessions');
          await expect(operation()).rejects.toMatchObject({
            code: 'ERR_SESSION_STORE_TABLE',
            message: expect.stringMatching(
              /^SqliteStore: the table was dropped\. The next operation creates it again\. \(.*no such table/,
            ),
          });
          expect(await store.set('a', 'text', { expires, owner: 'ann' })).toBe(true);
          expect(await collect(store.owned('ann'))).toMatchObject([{ key: 'a', value: 'text' }]);
        }
        expect(rows(database, "SELECT name FROM sqlite_master WHERE type = 'index' AND sql > ''")).toEqual([
          ['sessions_expires'],
          ['sessions_owner'],
        ]);
      });

      test('a table that is dropped and cannot be created yet is tried again', async () => {
        const database = newDatabase();
        const store = newStore(database, { cleanupInterval: 0 });
        database.exec('DROP TABLE sessions');
        await expect(store.get('a')).rejects.toMatchObject({ code: 'ERR_SESSION_STORE_TABLE' });
        database.exec('PRAGMA query_only = 1');
        await expect(store.get('a')).rejects.toMatchObject({ code: 'ERR_SESSION_STORE_READ_ONLY' });
        database.exec('PRAGMA query_only = 0');
        expect(await store.get('a')).toBe(undefined);
      });

      test('a read-only database', () => {
        const where = newFile();
        newStore(newDatabase(where));
        const database = opened(openDatabase(client, where, { readOnly: true }));
        expect(() => new SqliteStore({ database, table: 'new' })).toThrow(
          expect.objectContaining({
            code: 'ERR_SESSION_STORE_READ_ONLY',
            message: expect.stringMatching(
              /^SqliteStore: the file is read-only.* Let the process write to it/,
            ),
          }),
        );
      });

      test('no space left, and recovery', async () => {
        const database = newDatabase();
        const store = newStore(database);
        database.exec('PRAGMA max_page_count = 10');
        const large = 'x'.repeat(100_000);
        await expect(store.set('a', large, { expires: later() })).rejects.toMatchObject({
          code: 'ERR_SESSION_STORE_FULL',
          message: expect.stringMatching(
            /^SqliteStore: there is no space left for a write\. Free disk space/,
          ),
        });
        expect(await store.get('a')).toBe(undefined);
        database.exec('PRAGMA max_page_count = 1000');
        expect(await store.set('a', large, { expires: later() })).toBe(true);
      });

      test('a database that another process keeps locked: reads go on, writes fail and recover', async () => {
        const where = newFile();
        const database = newDatabase(where);
        database.exec('PRAGMA busy_timeout = 1');
        const store = newStore(database);
        await store.set('a', 'text', { expires: later() });
        const other = newDatabase(where);
        other.exec('BEGIN IMMEDIATE');
        expect(await store.get('a')).toBe('text');
        await expect(store.touch('a', later())).rejects.toMatchObject({
          code: 'ERR_SESSION_STORE_UNREACHABLE',
          message: expect.stringMatching(/^SqliteStore: another process kept the file locked for too long\./),
        });
        other.exec('ROLLBACK');
        expect(await store.touch('a', later())).toBe(true);
      });

      test('each operation on a closed database', async () => {
        const database = newDatabase();
        const store = newStore(database);
        database.close();
        const closed = {
          name: 'SteadyError',
          code: 'ERR_SESSION_STORE_UNREACHABLE',
          message: expect.stringMatching(
            /^SqliteStore: the database is closed or its file cannot be opened\. .* \(.*(not open|been finalized)\)$/,
          ),
          cause: expect.any(Object),
        };
        const expires = later();
        await expect(store.get('a')).rejects.toMatchObject(closed);
        await expect(store.set('a', 'b', { expires })).rejects.toMatchObject(closed);
        await expect(store.set('a', 'b', { expires, expected: null })).rejects.toMatchObject(closed);
        await expect(store.set('a', 'b', { expires, expected: 'c' })).rejects.toMatchObject(closed);
        await expect(store.touch('a', expires)).rejects.toMatchObject(closed);
        await expect(store.destroy('a')).rejects.toMatchObject(closed);
        await expect(collect(store.ids())).rejects.toMatchObject(closed);
        await expect(store.deleteExpired()).rejects.toMatchObject(closed);
      });
    });

    describe('several processes', () => {
      beforeAll(() => compile(dir, 'lib'));

      /** Runs `body` in a process of its own, with a `store` over `file`. */
      const run = (where: string, body: string) => {
        const program = `
          const { SqliteStore } = require(${JSON.stringify(join(dir, 'lib/stores/sqlite.js'))});
          const database = ${databaseExpression(client, where)};
          const store = new SqliteStore({ database });
          const expires = Date.now() + ${HOUR};
          (async () => { ${body} })();`;
        return spawn(process.execPath, ['--no-warnings', '-e', program], {
          stdio: ['ignore', 'pipe', 'pipe'],
        });
      };

      test('that start at once on a new file and increment one count lose none', async () => {
        const where = newFile();
        const body = `
          for (let n = 0; n < 50; ) {
            const before = await store.get('count');
            const after = String(Number(before ?? 0) + 1);
            if (await store.set('count', after, { expires, expected: before ?? null })) n++;
          }`;
        const processes = Array.from({ length: 4 }, () => run(where, body));
        const errors = await Promise.all(processes.map((child) => text(child.stderr)));
        expect(errors).toEqual(['', '', '', '']);
        expect(await newStore(newDatabase(where)).get('count')).toBe('200');
      });

      test('what was acknowledged survives a process that is killed', async () => {
        const where = newFile();
        const child = run(
          where,
          "await store.set('a', 'kept', { expires }); console.log('done'); setInterval(() => {}, 1000);",
        );
        await once(child.stdout, 'data');
        child.kill('SIGKILL');
        await once(child, 'exit');
        expect(await newStore(newDatabase(where)).get('a')).toBe('kept');
      });

      test('the clean-up timer does not keep a process alive', async () => {
        const child = run(newFile(), "console.log('end')");
        expect(await text(child.stdout)).toBe('end\n');
      });
    });
  });

  if (hasNodeSqlite) {
    describe('with the name of a file', () => {
      test('opens and closes it', async () => {
        const where = newFile();
        const store = opened(new SqliteStore({ database: where }));
        await store.set('id', 'kept', { expires: later() });
        store.close();
        await expect(store.get('id')).rejects.toMatchObject({ code: 'ERR_SESSION_STORE_UNREACHABLE' });
        expect(await opened(new SqliteStore({ database: where })).get('id')).toBe('kept');
      });

      test('a file that cannot be opened is reported', () => {
        expect(() => new SqliteStore({ database: join(dir, 'no-such-directory', 'a.db') })).toThrow(
          expect.objectContaining({
            code: 'ERR_SESSION_STORE_UNREACHABLE',
            message: expect.stringMatching(/its file cannot be opened\. Check the path/),
          }),
        );
      });
    });
  }

  test("a database that the store was given is the app's to close", async () => {
    const database = opened(openDatabase(clients[0]!, newFile()));
    const store = new SqliteStore({ database });
    store.close();
    expect(await store.set('id', 'text', { expires: later() })).toBe(true);
  });
});

if (!hasNodeSqlite) {
  test('where Node has no SQLite, the name of a file is answered with what to do', () => {
    expect(() => new SqliteStore({ database: 'sessions.db' })).toThrow(
      new TypeError(
        `SqliteStore can open a file itself only where Node has node:sqlite (22.13 or later); this is ${process.version}. ` +
          "Install better-sqlite3 and pass its database: new SqliteStore({ database: new Database('sessions.db') })",
      ),
    );
  });
}

describe('options of SqliteStore', () => {
  const database: SqliteDatabase = { prepare: jest.fn(), exec: jest.fn(), close: jest.fn() };
  const wrongDatabase = (described: string) =>
    `SqliteStore: database option must be a database of better-sqlite3 or node:sqlite, or the name of a file; got ${described}. ` +
    "For example: new SqliteStore({ database: 'sessions.db' })";
  const interval =
    'SqliteStore: cleanupInterval option must be a number of milliseconds from 0 (never) to 1000000000; got ';

  test.each([
    [
      undefined,
      'SqliteStore needs an object of options ({ database, table, cleanupInterval }); got undefined',
    ],
    [
      database,
      'SqliteStore needs an object of options; got an object (Object), which is its option database: pass { database }, as in new SqliteStore({ database })',
    ],
    [{}, wrongDatabase('undefined')],
    [{ database: new Map() }, wrongDatabase('an object (Map)')],
    [
      'sessions.db',
      "SqliteStore needs an object of options; got a string: give the database, or the name of its file, as the option database, as in { database: 'sessions.db' }",
    ],
    [
      { filename: 'sessions.db' },
      'SqliteStore has no option filename; give the database, or the name of its file, as the option database',
    ],
    [{ database, tables: 'a' }, 'SqliteStore has no option tables; did you mean table?'],
    [{ database, table: '' }, 'SqliteStore: table option must be the name of a table; got ""'],
    [{ database, table: 'a\0' }, 'SqliteStore: table option must be the name of a table; got "a\\u0000"'],
    [{ database, table: 1 }, 'SqliteStore: table option must be the name of a table; got 1 (number)'],
    [{ database, cleanupInterval: '5' }, `${interval}"5"`],
    [{ database, cleanupInterval: -1 }, `${interval}-1 (number)`],
    [{ database, cleanupInterval: Number.NaN }, `${interval}NaN (number)`],
    [{ database, cleanupInterval: 1_000_000_001 }, `${interval}1000000001 (number)`],
  ])('%p is refused', (options, message) => {
    expect(() => new SqliteStore(options as never)).toThrow(new TypeError(message));
  });
});
