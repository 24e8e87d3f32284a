import { badOption, describeWithoutText, hasMethods } from '../option-checks.js';
import { checkTouch, checkWrite } from './check-write.js';
import { Cleanup, SLICE } from './cleanup.js';
import { ownedRecord } from './owned-record.js';
import type { OwnedRecord, SessionStore, SetOptions } from './store.js';
import { checkOptions, refuseBare } from './store-options.js';
import { decodeText, encodeText } from './text.js';
import { END_OF_TIME } from './time-left.js';
import { storeError, type Trouble } from './trouble.js';

export interface SqliteStoreOptions {
  /**
   * An open database of better-sqlite3 (`new Database('sessions.db')`) or of Node's own `node:sqlite`
   * (`new DatabaseSync('sessions.db')`), which the app closes. Or the name of a file, which the store opens with
   * `node:sqlite` (Node 22.13 or later) and closes.
   */
  database: SqliteDatabase | string;
  /**
   * The table, which is created if it is missing, and again if it is dropped later.
   * @default 'sessions'
   */
  table?: string | undefined;
  /**
   * About how often expired rows are removed, in milliseconds; 0 for never. Reads don't see them in any case.
   * @default 900_000 (15 minutes)
   */
  cleanupInterval?: number | undefined;
}

/**
 * Keeps sessions in an SQLite file: they survive a restart, and the processes of one machine can share them.
 *
 * - The database is switched to write-ahead logging (WAL), so readers and a writer don't wait for one another. For
 *   another process that is writing, an operation waits up to 5 seconds, or what the app set as `busy_timeout`.
 * - What was stored survives the end of the process. In a file that the store opens, the very last writes may be
 *   lost when the machine loses power (`synchronous = NORMAL`); pass a database with `synchronous = FULL` to rule
 *   that out, for a flush to the disk at each write.
 * - SQLite works in the calling thread: a session of usual size takes some ten microseconds, one of 1 MB some
 *   milliseconds.
 * - Trouble with the file rejects with a `SteadyError` whose code begins with `ERR_SESSION_STORE_`.
 *
 * @example
 * const store = new SqliteStore({ database: 'sessions.db' });
 * app.use(session({ ...recommended, secret, store }));
 */
export class SqliteStore implements SessionStore {
  readonly #database: SqliteDatabase;
  readonly #table: string;
  readonly #ownsDatabase: boolean;
  readonly #statements: Statements;
  readonly #cleanup: Cleanup;
  #isTableMissing = false;

  /**
   * @throws TypeError if the database is missing or of another kind, or an option is unknown or of a wrong type.
   * @throws SteadyError if the file can't be opened or the table can't be used.
   */
  constructor(options: SqliteStoreOptions) {
    refuseBare('SqliteStore', options, 'database', 'prepare', 'exec');
    refuseFileName(options);
    checkOptions('SqliteStore', options, ['database', 'table', 'cleanupInterval'], ELSEWHERE);
    const { database, table = 'sessions', cleanupInterval = 15 * 60_000 } = options;
    if (typeof table !== 'string' || !/^[^\0]+$/.test(table)) {
      throw badOption('SqliteStore: table', table, 'the name of a table');
    }
    this.#cleanup = new Cleanup('SqliteStore', cleanupInterval, () => this.#removeSlice());
    this.#ownsDatabase = typeof database === 'string';
    this.#database = typeof database === 'string' ? openFile(database) : checkDatabase(database);
    this.#table = table;
    this.#statements = attempt(() => prepare(this.#database, table));
    this.#cleanup.start();
  }

  async get(id: string): Promise<string | undefined> {
    const row = this.#attempt(() => this.#statements.get.get(encodeText(id), Date.now())) as Row | undefined;
    return row && decodeText(row.value);
  }

  async set(id: string, value: string, how: SetOptions): Promise<boolean> {
    checkWrite('SqliteStore', value, how);
    const { expires, expected, owner } = how;
    const { write, create, replace } = this.#statements;
    const key = encodeText(id);
    const row = [
      encodeText(value),
      wholeMilliseconds(expires),
      owner === undefined ? null : encodeText(owner),
    ];
    const { changes } = this.#attempt(() => {
      if (expected === undefined) return write.run(key, ...row);
      if (expected === null) return create.run(key, ...row, Date.now());
      return replace.run(...row, key, encodeText(expected), Date.now());
    });
    return Number(changes) === 1;
  }

  async touch(id: string, expires: number): Promise<boolean> {
    checkTouch('SqliteStore', expires);
    const { touch } = this.#statements;
    const { changes } = this.#attempt(() =>
      touch.run(wholeMilliseconds(expires), encodeText(id), Date.now()),
    );
    return Number(changes) === 1;
  }

  async destroy(id: string): Promise<void> {
    this.#attempt(() => this.#statements.destroy.run(encodeText(id)));
  }

  async *ids(): AsyncIterable<string> {
    let last = 0;
    while (true) {
      // A page at a time: a statement that is still open between two steps would block the others.
      const page = this.#attempt(() => this.#statements.page.all(last, Date.now(), SLICE)) as PageRow[];
      for (const { id } of page) yield decodeText(id);
      if (page.length < SLICE) return;
      last = page[page.length - 1]!.rowid;
    }
  }

  async *owned(owner: string): AsyncIterable<OwnedRecord> {
    let last = 0;
    while (true) {
      const { owned } = this.#statements;
      const page = this.#attempt(() => owned.all(encodeText(owner), last, Date.now(), SLICE)) as OwnedRow[];
      for (const { id, value } of page) yield ownedRecord(this, decodeText(id), decodeText(value));
      if (page.length < SLICE) return;
      last = page[page.length - 1]!.rowid;
    }
  }

  /** Removes expired rows now, and resolves to how many they were. */
  deleteExpired(): Promise<number> {
    return this.#cleanup.run();
  }

  /** Ends the clean-up, and closes the database if the store opened it. */
  close(): void {
    this.#cleanup.stop();
    if (this.#ownsDatabase) this.#database.close();
  }

  #removeSlice(): number {
    return Number(this.#attempt(() => this.#statements.removeExpired.run(Date.now(), SLICE)).changes);
  }

  /** Where the operation before has found that the table was dropped, it is made again first. */
  #attempt<T>(operation: () => T): T {
    return attempt(() => {
      if (this.#isTableMissing) createTable(this.#database, this.#table);
      this.#isTableMissing = false;
      try {
        return operation();
      } catch (error) {
        this.#isTableMissing = NO_TABLE.test(String(error));
        throw error;
      }
    });
  }
}

/** What is used of a better-sqlite3 `Database` or a `DatabaseSync`. */
export interface SqliteDatabase {
  prepare(sql: string): SqliteStatement;
  exec(sql: string): unknown;
  close(): unknown;
}

/** A prepared statement of either. */
export interface SqliteStatement {
  get(...parameters: any[]): unknown;
  all(...parameters: any[]): unknown[];
  run(...parameters: any[]): { changes: number | bigint };
}

interface Row {
  value: string;
}

interface PageRow {
  rowid: number;
  id: string;
}

type OwnedRow = Row & PageRow;

type Statements = ReturnType<typeof prepare>;

/** Each operation is one statement, so it needs no transaction to be atomic, within and across processes. */
function prepare(database: SqliteDatabase, name: string) {
  const table = quote(name);
  if (!(database.prepare('PRAGMA busy_timeout').get() as { timeout: number }).timeout) {
    database.exec('PRAGMA busy_timeout = 5000');
  }
  database.exec('PRAGMA journal_mode = WAL');
  createTable(database, name);
  const insert = `INSERT INTO ${table} AS stored (id, value, expires, owner) VALUES (?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET value = excluded.value, expires = excluded.expires, owner = excluded.owner`;
  const expired = `SELECT rowid FROM ${table} WHERE expires <= ? LIMIT ?`;
  return {
    get: database.prepare(`SELECT value FROM ${table} WHERE id = ? AND expires > ?`),
    write: database.prepare(insert),
    create: database.prepare(`${insert} WHERE stored.expires <= ?`),
    replace: database.prepare(
      `UPDATE ${table} SET value = ?, expires = ?, owner = ? WHERE id = ? AND value = ? AND expires > ?`,
    ),
    touch: database.prepare(`UPDATE ${table} SET expires = ? WHERE id = ? AND expires > ?`),
    destroy: database.prepare(`DELETE FROM ${table} WHERE id = ?`),
    page: database.prepare(
      `SELECT rowid, id FROM ${table} WHERE rowid > ? AND expires > ? ORDER BY rowid LIMIT ?`,
    ),
    owned: database.prepare(
      `SELECT rowid, id, value FROM ${table} WHERE owner = ? AND rowid > ? AND expires > ? ORDER BY rowid LIMIT ?`,
    ),
    removeExpired: database.prepare(`DELETE FROM ${table} WHERE rowid IN (${expired})`),
  };
}

/** Statements that were prepared for a table of that name serve the new one. */
function createTable(database: SqliteDatabase, name: string): void {
  const table = quote(name);
  database.exec(`
    CREATE TABLE IF NOT EXISTS ${table}
      (id TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL, expires INTEGER NOT NULL, owner TEXT);
    CREATE INDEX IF NOT EXISTS ${quote(`${name}_expires`)} ON ${table} (expires);
    CREATE INDEX IF NOT EXISTS ${quote(`${name}_owner`)} ON ${table} (owner) WHERE owner IS NOT NULL`);
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function openFile(name: string): SqliteDatabase {
  // Asked of the process, not imported, since this file has to load where there is no such module.
  const sqlite = process.getBuiltinModule?.('node:sqlite') as
    | { DatabaseSync: new (name: string) => SqliteDatabase }
    | undefined;
  if (!sqlite) {
    throw new TypeError(
      `SqliteStore can open a file itself only where Node has node:sqlite (22.13 or later); this is ${process.version}. ` +
        `Install better-sqlite3 and pass its database: new SqliteStore({ database: new Database('${name}') })`,
    );
  }
  return attempt(() => {
    const database = new sqlite.DatabaseSync(name);
    database.exec('PRAGMA synchronous = NORMAL');
    return database;
  });
}

const USE_DATABASE = 'give the database, or the name of its file, as the option database';

/** How other stores call it. */
const ELSEWHERE = {
  filename: USE_DATABASE,
  file: USE_DATABASE,
  path: USE_DATABASE,
  db: USE_DATABASE,
  client: USE_DATABASE,
  tableName: 'it is table',
  expired: 'it is cleanupInterval, in milliseconds',
  ttl: 'set ttl or cookie.maxAge of session() instead',
};

function refuseFileName(options: unknown): void {
  if (typeof options === 'string')
    throw new TypeError(
      `SqliteStore needs an object of options; got a string: ${USE_DATABASE}, as in { database: 'sessions.db' }`,
    );
}

function checkDatabase(database: unknown): SqliteDatabase {
  if (hasMethods(database, 'prepare', 'exec', 'close')) return database as SqliteDatabase;
  throw new TypeError(
    'SqliteStore: database option must be a database of better-sqlite3 or node:sqlite, or the name of a file; ' +
      `got ${describeWithoutText(database)}. For example: new SqliteStore({ database: 'sessions.db' })`,
  );
}

function wholeMilliseconds(expires: number): number {
  return Math.floor(Math.min(expires, END_OF_TIME));
}

const NO_TABLE = /no such table/;

const TROUBLES: readonly Trouble[] = [
  {
    sign: /no such column|has no column|no column named|ON CONFLICT clause does not match/,
    code: 'ERR_SESSION_STORE_TABLE',
    advice: 'the table exists, but it is not one of SqliteStore. Choose another name with the option table.',
  },
  {
    sign: NO_TABLE,
    code: 'ERR_SESSION_STORE_TABLE',
    advice: 'the table was dropped. The next operation creates it again.',
  },
  {
    sign: /readonly|read-only/i,
    code: 'ERR_SESSION_STORE_READ_ONLY',
    advice:
      'the file is read-only, or was removed while it was open. Let the process write to it and its directory.',
  },
  {
    sign: /database or disk is full|SQLITE_FULL/,
    code: 'ERR_SESSION_STORE_FULL',
    advice: 'there is no space left for a write. Free disk space, or raise max_page_count.',
  },
  {
    sign: /unable to open|not open|finalized|directory does not exist|SQLITE_CANTOPEN/,
    code: 'ERR_SESSION_STORE_UNREACHABLE',
    advice:
      'the database is closed or its file cannot be opened. Check the path, and close the database last.',
  },
  {
    sign: /locked|busy/i,
    code: 'ERR_SESSION_STORE_UNREACHABLE',
    advice:
      'another process kept the file locked for too long. Look for a long transaction, or raise busy_timeout.',
  },
];

function attempt<T>(operation: () => T): T {
  try {
    return operation();
  } catch (cause) {
    throw storeError('SqliteStore', TROUBLES, cause);
  }
}
