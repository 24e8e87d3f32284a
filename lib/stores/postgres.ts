import { awaitHint, badOption, describeWithoutText, hasMethods, readBoolean } from '../option-checks.js';
import { warnOnce } from '../warnings.js';
import { checkTouch, checkWrite } from './check-write.js';
import { Cleanup, SLICE } from './cleanup.js';
import { noticeOf } from './id-hash.js';
import { ownedRecord } from './owned-record.js';
import { PostgresNotices } from './postgres-notices.js';
import { ELSEWHERE, isOtherTable, troublesOf } from './postgres-trouble.js';
import type { OwnedRecord, SessionStore, SetOptions } from './store.js';
import { checkOptions, refuseBare } from './store-options.js';
import { decodeText, encodeText } from './text.js';
import { millisecondsLeft } from './time-left.js';
import { storeError, surviveClientErrors, type Trouble } from './trouble.js';

export interface PostgresStoreOptions {
  /** A `Pool` of `pg`, which the app makes and ends. */
  pool: PostgresPool;
  /**
   * The table, or `schema.table`. It is quoted, so capital letters count.
   * @default 'session'
   */
  table?: string | undefined;
  /**
   * Creates the table before the first use if it is missing, and again if it is dropped later. Needs the right to; see
   * {@link PostgresStore.ddl} for creating it in a migration.
   * @default false
   */
  createTable?: boolean | undefined;
  /**
   * About how often expired rows are removed, in milliseconds; 0 for never. Reads don't see them in any case.
   * @default 900_000 (15 minutes)
   */
  cleanupInterval?: number | undefined;
  /**
   * Tell all processes at once of each session that is destroyed, by NOTIFY, so that they close its sockets without
   * waiting for their next look. In each process that serves sockets it takes one more connection, with the pool's
   * settings. That one must lead to the primary itself: not to a replica, nor through a pooler that lends connections out
   * by transaction, such as PgBouncer mostly does. Give it in all processes or in none.
   * @default false
   */
  notify?: boolean | undefined;
}

/**
 * Keeps sessions in PostgreSQL 9.6 or later.
 *
 * - Each operation is one statement, and conditional writes are atomic, for all processes that use the table.
 * - The table of connect-pg-simple serves as it is, and either can take over from the other. Its column `sess` is of
 *   type `json`, so it holds nothing but JSON, and its column `expire` has no time zone: all that use it must have
 *   the same setting of `TimeZone`. The store's own table has neither limit.
 * - A user's sessions are found by an index on the column `owner`; in a table without it, as connect-pg-simple's, by
 *   going through all sessions.
 * - With `notify`, a session's end reaches the sockets of all processes at once, by LISTEN and NOTIFY.
 * - The server's clock counts the time that a record has left, so it and the app's need not agree.
 * - Trouble with the server rejects with a `SteadyError` whose code begins with `ERR_SESSION_STORE_`. Service
 *   returns with the server: the pool makes new connections.
 *
 * @example
 * const pool = new Pool({ connectionString: process.env.DATABASE_URL }).on('error', console.error);
 * app.use(session({ ...recommended, secret, store: new PostgresStore({ pool, createTable: true }) }));
 */
export class PostgresStore implements SessionStore {
  readonly #pool: PostgresPool;
  readonly #sql: ReturnType<typeof statements>;
  readonly #troubles: readonly Trouble[];
  readonly #cleanup: Cleanup;
  readonly #table: string;
  readonly #createTable: boolean;
  readonly #notices: PostgresNotices | undefined;
  /** Calls back with the hash of the id of each session that any process destroys. There with `notify`. */
  declare readonly onDestroy?: (listener: (id: string) => void) => Promise<() => void>;
  #tableReady: Promise<void> | undefined;
  #hasOwners: Promise<boolean> | undefined;

  /** @throws TypeError if the pool is missing or of another kind, or an option is unknown or of a wrong type. */
  constructor(options: PostgresStoreOptions) {
    refuseBare('PostgresStore', options, 'pool', 'query');
    checkOptions('PostgresStore', options, OPTIONS, ELSEWHERE);
    const { pool, table = 'session', createTable = false, cleanupInterval = 15 * 60_000 } = options;
    const { notify = false } = options;
    if (!hasMethods(pool, 'query')) throw badPool(describeWithoutText(pool) + awaitHint(pool));
    if (isClient(pool)) adviseOnClient();
    readBoolean('PostgresStore: createTable', createTable);
    readBoolean('PostgresStore: notify', notify);
    this.#pool = pool;
    this.#sql = statements(quoteTable(table));
    this.#troubles = troublesOf(table, createTable);
    this.#table = table;
    this.#createTable = createTable;
    this.#cleanup = new Cleanup('PostgresStore', cleanupInterval, () => this.#removeSlice());
    this.#cleanup.start();
    surviveClientErrors('PostgresStore', pool);
    if (!notify) return;
    const notices = new PostgresNotices(pool, table);
    this.#notices = notices;
    this.onDestroy = (listener) => notices.listen(listener);
  }

  /**
   * The statements that create the table of a store with this option `table` and its index, if they are missing: for
   * a migration.
   *
   * @throws TypeError if it can't be the name of a table.
   */
  static ddl(table = 'session'): string {
    const quoted = quoteTable(table);
    const name = table.slice(table.lastIndexOf('.') + 1).slice(0, 50);
    // Byte order for the ids: an index in the order of a language breaks when the system's rules of it change.
    return `CREATE TABLE IF NOT EXISTS ${quoted} (
  sid text COLLATE "C" PRIMARY KEY,
  sess text NOT NULL,
  expire timestamptz NOT NULL,
  owner text COLLATE "C"
);
CREATE INDEX IF NOT EXISTS "${name}_expire_idx" ON ${quoted} (expire);
CREATE INDEX IF NOT EXISTS "${name}_owner_idx" ON ${quoted} (owner, sid) WHERE owner IS NOT NULL;`;
  }

  async get(id: string): Promise<string | undefined> {
    const { rows } = await this.#query(this.#sql.get, [encodeText(id)]);
    return rows[0] && decodeText(rows[0].sess);
  }

  async set(id: string, value: string, how: SetOptions): Promise<boolean> {
    checkWrite('PostgresStore', value, how);
    const { expires, expected, owner } = how;
    // Without an owner, the row keeps the one it has: who asks for a user's sessions looks at each record.
    const owned = owner !== undefined && (await this.#ownersAreKept());
    const sql = owned ? this.#sql.withOwner : this.#sql.plain;
    const row = [encodeText(id), encodeText(value), millisecondsLeft(expires)];
    if (owned) row.push(encodeText(owner));
    const { rowCount } = await (expected === undefined
      ? this.#query(sql.write, row)
      : expected === null
        ? this.#query(sql.create, row)
        : this.#query(sql.replace, [...row, encodeText(expected)]));
    return rowCount === 1;
  }

  async touch(id: string, expires: number): Promise<boolean> {
    checkTouch('PostgresStore', expires);
    const { rowCount } = await this.#query(this.#sql.touch, [encodeText(id), millisecondsLeft(expires)]);
    return rowCount === 1;
  }

  async destroy(id: string): Promise<void> {
    const sid = encodeText(id);
    if (!this.#notices) await this.#query(this.#sql.destroy, [sid]);
    else await this.#query(this.#sql.destroyAndTell, [sid, this.#notices.channel, noticeOf(id)]);
  }

  async *ids(): AsyncIterable<string> {
    for (let last: string | null = null; ; ) {
      const { rows } = await this.#query(this.#sql.page, [last, SLICE]);
      for (const { sid } of rows) yield decodeText(sid);
      if (rows.length < SLICE) return;
      last = rows[rows.length - 1]!.sid;
    }
  }

  async *owned(owner: string): AsyncIterable<OwnedRecord> {
    const kept = await this.#ownersAreKept();
    const sql = kept ? this.#sql.ownedPage : this.#sql.fullPage;
    for (let last: string | null = null; ; ) {
      const { rows } = await this.#query(sql, [last, SLICE, ...(kept ? [encodeText(owner)] : [])]);
      for (const { sid, sess } of rows) yield ownedRecord(this, decodeText(sid), decodeText(sess));
      if (rows.length < SLICE) return;
      last = rows[rows.length - 1]!.sid;
    }
  }

  /** Whether the table has a column for them. */
  #ownersAreKept(): Promise<boolean> {
    this.#hasOwners ??= this.#query(HAS_OWNERS, [quoteTable(this.#table)]).then(
      ({ rowCount }) => rowCount === 1,
      (error) => {
        this.#hasOwners = undefined;
        throw error;
      },
    );
    return this.#hasOwners;
  }

  /** Removes expired rows now, and resolves to how many they were. */
  deleteExpired(): Promise<number> {
    return this.#cleanup.run();
  }

  /** Ends the clean-up, and the connection that `notify` has opened. The pool is the app's to end. */
  close(): void {
    this.#cleanup.stop();
    this.#notices?.close();
  }

  async #removeSlice(): Promise<number> {
    const { rowCount } = await this.#query(this.#sql.removeExpired, [SLICE]);
    return rowCount ?? 0;
  }

  async #query(text: string, values: unknown[]): Promise<PostgresResult> {
    try {
      if (this.#createTable) await this.#ensureTable();
      return await withRetries(() => this.#pool.query(text, values));
    } catch (cause) {
      if (isOtherTable(cause)) this.#forgetTable();
      throw storeError('PostgresStore', this.#troubles, cause);
    }
  }

  /** The table was dropped, or replaced, while the app runs: the next operation looks anew. */
  #forgetTable(): void {
    this.#tableReady = undefined;
    this.#hasOwners = undefined;
  }

  /** Once; after a failure the next operation tries again. */
  #ensureTable(): Promise<void> {
    this.#tableReady ??= createIfMissing(this.#pool, this.#table).catch((error) => {
      this.#tableReady = undefined;
      throw error;
    });
    return this.#tableReady;
  }
}

const OPTIONS = ['pool', 'table', 'createTable', 'cleanupInterval', 'notify'];

/** What is used of a `Pool` of `pg`. */
export interface PostgresPool {
  query(text: string, values?: any[]): Promise<PostgresResult>;
}

/** What is used of a result of `pg`. */
export interface PostgresResult {
  rows: any[];
  rowCount: number | null;
}

/**
 * Written and compared like this, an `expire` with or without time zone will do, and it means what connect-pg-simple
 * means by it. `now()` is the start of the statement, which may then wait for its row: whether a row that is to be
 * changed is still alive is asked of the clock, or one that another statement has ended meanwhile would come back.
 */
function statements(table: string) {
  const until = (left: string) => `now() + ${left} * interval '1 millisecond'`;
  const page = (columns: string, condition = '') => `SELECT ${columns} FROM ${table}
    WHERE ${condition}($1::text IS NULL OR sid > $1) AND expire > now() ORDER BY sid LIMIT $2`;
  return {
    get: `SELECT sess::text FROM ${table} WHERE sid = $1 AND expire > now()`,
    plain: writes(table, until('$3'), false),
    withOwner: writes(table, until('$3'), true),
    touch: `UPDATE ${table} SET expire = ${until('$2')} WHERE sid = $1 AND expire > clock_timestamp()`,
    destroy: `DELETE FROM ${table} WHERE sid = $1`,
    // The server tells of it when it is done and can be seen by all, and not before.
    destroyAndTell: `WITH gone AS (DELETE FROM ${table} WHERE sid = $1 RETURNING sid)
      SELECT pg_notify($2, $3) FROM gone`,
    page: page('sid'),
    fullPage: page('sid, sess::text'),
    ownedPage: page('sid, sess::text', 'owner = $3 AND '),
    // Rows that another process is about to remove, or is prolonging just now, are passed over.
    removeExpired: `DELETE FROM ${table} WHERE sid = ANY (ARRAY(
      SELECT sid FROM ${table} WHERE expire <= now() LIMIT $1 FOR UPDATE SKIP LOCKED))`,
  };
}

/** With an owner it is the fourth parameter. */
function writes(table: string, until: string, withOwner: boolean) {
  const [column, value, update, expected] = withOwner
    ? [', owner', ', $4', ', owner = excluded.owner', '$5']
    : ['', '', '', '$4'];
  const insert = `INSERT INTO ${table} AS stored (sid, sess, expire${column}) VALUES ($1, $2, ${until}${value})
    ON CONFLICT (sid) DO UPDATE SET sess = excluded.sess, expire = excluded.expire${update}`;
  return {
    write: insert,
    create: `${insert} WHERE stored.expire <= clock_timestamp()`,
    replace: `UPDATE ${table} SET sess = $2, expire = ${until}${withOwner ? ', owner = $4' : ''}
      WHERE sid = $1 AND sess::text = ${expected} AND expire > clock_timestamp()`,
  };
}

const HAS_OWNERS = `SELECT 1 FROM pg_attribute
  WHERE attrelid = to_regclass($1) AND attname = 'owner' AND NOT attisdropped`;

/** Asks first: a user without the right to create tables may well use one, which may have an index of another name. */
async function createIfMissing(pool: PostgresPool, table: string): Promise<void> {
  const { rows } = await pool.query('SELECT to_regclass($1)::text AS name', [quoteTable(table)]);
  if (rows[0].name !== null) return;
  try {
    await pool.query(PostgresStore.ddl(table));
  } catch (error) {
    // Another process has just created the table or the index: duplicate table, object or key in the catalogue.
    if (!['42P07', '42710', '23505'].includes((error as { code: string }).code)) throw error;
  }
}

/** @throws TypeError unless it is `table` or `schema.table`, each of a length that PostgreSQL does not cut. */
function quoteTable(table: unknown): string {
  const names = typeof table === 'string' ? table.split('.') : [];
  const valid = (name: string) => /^[^\0"]+$/.test(name) && Buffer.byteLength(name) <= 63;
  if (names.length < 1 || names.length > 2 || !names.every(valid)) {
    throw badOption('PostgresStore: table', table, '"table" or "schema.table", without quotation marks');
  }
  return names.map((name) => `"${name}"`).join('.');
}

/**
 * Where the database's default is a stricter isolation than PostgreSQL's own, a statement that meets another one on
 * its row fails instead of looking again.
 */
async function withRetries<T>(query: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await query();
    } catch (error) {
      const serializationFailure = (error as { code?: unknown } | null)?.code === '40001';
      if (!serializationFailure || attempt === MOST_ATTEMPTS) throw error;
    }
  }
}

const MOST_ATTEMPTS = 20;

/** A client of pg: one connection, and once that is gone, none. */
function isClient(pool: object): boolean {
  return 'connectionParameters' in pool;
}

function adviseOnClient(): void {
  warnOnce(
    'WARN_SESSION_STORE_POOL',
    'PostgresStore was given a Client: it answers nothing before it is connected, and does not connect again once its ' +
      'connection is gone. Give it a Pool.',
  );
}

function badPool(given: string): TypeError {
  const example = 'For example: new PostgresStore({ pool: new Pool({ connectionString }) })';
  return new TypeError(`PostgresStore: pool option must be a Pool of pg; got ${given}. ${example}`);
}
