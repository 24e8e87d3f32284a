import { badOption, readBoolean } from '../option-checks.js';
import { warnOnce } from '../warnings.js';
import { checkTouch, checkWrite } from './check-write.js';
import { noticeOf } from './id-hash.js';
import { ownedRecord } from './owned-record.js';
import { type Commands, commandsOf, type IoRedisClient, type NodeRedisClient } from './redis-commands.js';
import { RedisNotices } from './redis-notices.js';
import { RedisOwners } from './redis-owners.js';
import { type RedisScript, redisScript, runScript, sha1 } from './redis-script.js';
import type { OwnedRecord, SessionStore, SetOptions } from './store.js';
import { checkOptions, refuseBare } from './store-options.js';
import { millisecondsLeft } from './time-left.js';
import { storeError, surviveClientErrors, type Trouble } from './trouble.js';

export interface RedisStoreOptions {
  /**
   * A client of node-redis 5 or later (`createClient`, `createCluster`, `createClientPool`, `createSentinel`) or of
   * ioredis 5 or later (`Redis`, `Cluster`). The app connects it and closes it.
   */
  client: NodeRedisClient | IoRedisClient;
  /**
   * What the keys begin with. Stores of several apps on one server need prefixes of which none begins another.
   * @default 'sess:'
   */
  prefix?: string | undefined;
  /**
   * Tell all processes at once of each session that is destroyed, by pub/sub, so that they close its sockets without
   * waiting for their next look. Costs one more command for each, and in each process that serves sockets one more
   * connection, a duplicate of the client's. Give it in all processes or in none.
   * @default false
   */
  notify?: boolean | undefined;
}

/**
 * Keeps sessions in Redis 6.2 or later, alone, behind Sentinel or as a cluster; or in Valkey, which has the same commands.
 *
 * - Keys and values are those of connect-redis 9, so either can take over from the other.
 * - Each operation is one command; storing or touching with an owner sends another before it, destroying with
 *   an owner or with `notify` another after it. A conditional write compares on the server, in one step, and sends a digest of the
 *   expected text, not the text.
 * - A user's sessions are found by a sorted set for each user, which ends with the last of them. It is written before the
 *   session, since both can't be written in one step across the nodes of a cluster: so it may name a session that is
 *   not there, but misses none.
 * - Redis counts the time that a record has left, so its clock and the app's need not agree.
 * - Trouble with the server rejects with a `SteadyError` whose code begins with `ERR_SESSION_STORE_`. Service
 *   returns with the connection, which is the client's work.
 *
 * Options of the client that matter:
 * - A client that has lost its connection keeps commands until it is back, which makes requests wait. node-redis'
 *   `disableOfflineQueue: true` and ioredis' `enableOfflineQueue: false` fail them at once.
 * - ioredis sends a command again whose answer got lost, so a conditional write that was done would find its own
 *   text and report a conflict. `autoResendUnfulfilledCommands: false` makes it the error that it is.
 * - node-redis 6 makes a timeout signal for each command, which costs about as much as the command itself.
 *   `commandOptions: { timeout: 0 }` saves that; then nothing but the connection's end ends the wait for an answer.
 *
 * @example
 * const client = await createClient({ url: process.env.REDIS_URL }).on('error', console.error).connect();
 * app.use(session({ ...recommended, secret, store: new RedisStore({ client }) }));
 */
export class RedisStore implements SessionStore {
  readonly #commands: Commands;
  readonly #prefix: string;
  readonly #owners: RedisOwners;
  readonly #notices: RedisNotices | undefined;
  /** Calls back with the hash of the id of each session that any process destroys. There with `notify`. */
  declare readonly onDestroy?: (listener: (id: string) => void) => Promise<() => void>;

  /** @throws TypeError if the client is missing or of another kind, or an option is unknown or of a wrong type. */
  constructor(options: RedisStoreOptions) {
    refuseBare('RedisStore', options, 'client', 'get', 'set', 'del');
    checkOptions('RedisStore', options, ['client', 'prefix', 'notify'], ELSEWHERE);
    const { client, prefix = 'sess:', notify = false } = options;
    if (typeof prefix !== 'string') throw badOption('RedisStore: prefix', prefix, 'a string');
    readBoolean('RedisStore: notify', notify);
    this.#commands = commandsOf(client);
    this.#prefix = prefix;
    this.#owners = new RedisOwners(`${OWNERS}${prefix}`, this.#commands);
    surviveClientErrors('RedisStore', client);
    if (!notify) return;
    const notices = new RedisNotices(client, `${prefix}destroyed`);
    this.#notices = notices;
    this.onDestroy = (listener) => notices.listen(listener).catch(fail);
  }

  async get(id: string): Promise<string | undefined> {
    const text = await this.#commands.get(this.#prefix + id).catch(fail);
    return text ?? undefined;
  }

  async set(id: string, value: string, how: SetOptions): Promise<boolean> {
    checkWrite('RedisStore', value, how);
    const { expires, expected, owner } = how;
    const key = this.#prefix + id;
    const left = millisecondsLeft(expires);
    if (owner !== undefined && left > 0) await this.#owners.add(owner, id, left).catch(fail);
    const isWritten = await this.#write(key, value, left, expected);
    if (owner !== undefined && left === 0 && isWritten) await this.#owners.remove(owner, id);
    return isWritten;
  }

  async #write(
    key: string,
    value: string,
    left: number,
    expected: string | null | undefined,
  ): Promise<boolean> {
    if (expected === undefined) {
      await (left > 0 ? this.#commands.set(key, value, left) : this.#commands.del(key)).catch(fail);
      return true;
    }
    if (expected === null && left > 0) {
      return (await this.#commands.setIfAbsent(key, value, left).catch(fail)) !== null;
    }
    const digest = expected === null ? '' : sha1(expected);
    return this.#compareAndSet(key, [digest, value, `${left}`]).catch(fail);
  }

  async touch(id: string, expires: number, owner?: string): Promise<boolean> {
    checkTouch('RedisStore', expires);
    const left = millisecondsLeft(expires);
    if (owner !== undefined && left > 0) await this.#owners.add(owner, id, left).catch(fail);
    return isOne(await this.#commands.pexpire(this.#prefix + id, left).catch(fail));
  }

  /** `get` and `touch` in one command: the text of a live record, which from now on expires at `expires` (epoch ms). */
  async getAndTouch(id: string, expires: number): Promise<string | undefined> {
    const text = await this.#commands.getex(this.#prefix + id, millisecondsLeft(expires)).catch(fail);
    return text ?? undefined;
  }

  async destroy(id: string, owner?: string): Promise<void> {
    await this.#commands.del(this.#prefix + id).catch(fail);
    if (owner !== undefined) await this.#owners.remove(owner, id);
    await this.#notices?.publish(noticeOf(id)).catch(warnOfSilence);
  }

  /** Ends the connections that `notify` has opened, as the end of the client does; the client itself is the app's. */
  close(): void {
    this.#notices?.close();
  }

  /**
   * The ids of all sessions under this prefix, from every master of a cluster. It goes through all keys of the
   * server in many small steps, so it takes long where there are many, but holds nobody up.
   */
  async *ids(): AsyncIterable<string> {
    const seen = new Set<string>(); // SCAN may give a key twice
    const prefix = this.#commands.keyPrefix() + this.#prefix;
    const pages = this.#commands.scan(`${prefix.replace(/[\\*?[\]]/g, '\\$&')}*`);
    try {
      for await (const keys of pages) {
        for (const key of keys) {
          // with a prefix such as '' the sets of owners match the pattern, too
          if (seen.has(key) || key.startsWith(OWNERS + this.#prefix, prefix.length - this.#prefix.length))
            continue;
          seen.add(key);
          yield key.slice(prefix.length);
        }
      }
    } catch (cause) {
      fail(cause);
    }
  }

  /**
   * The user's sessions that were stored with their owner. One that is gone when its turn comes may have been regenerated
   * meanwhile, under an id that was not listed yet: so they are listed again until none is.
   */
  async *owned(owner: string): AsyncIterable<OwnedRecord> {
    const known = new Set<string>();
    for (let before = -1; known.size > before; ) {
      before = known.size;
      for (const id of await this.#owners.idsOf(owner).catch(fail)) {
        if (known.has(id)) continue;
        known.add(id);
        const value = await this.get(id);
        if (value !== undefined) yield ownedRecord(this, id, value);
      }
    }
  }

  async #compareAndSet(key: string, args: string[]): Promise<boolean> {
    return isOne(await runScript(this.#commands, COMPARE_AND_SET, key, args));
  }
}

/** Clients can be told to give numbers as strings. */
function isOne(reply: unknown): boolean {
  return Number(reply) === 1;
}

/**
 * Writes ARGV[2] for ARGV[3] milliseconds (0: deletes) if the SHA-1 of what is stored is ARGV[1] ('': if nothing is).
 *
 * SHA-1 is what Redis' Lua offers. That collisions of it can be made does no harm here: the digest only tells
 * whether a record has changed, and both texts would have to be the content of one and the same session. Who can
 * write both anyway gains nothing by having the one taken for the other.
 */
const COMPARE_AND_SET: RedisScript = redisScript(`
local stored = redis.call('GET', KEYS[1])
if (stored and redis.sha1hex(stored) or '') ~= ARGV[1] then return 0 end
if ARGV[3] == '0' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1`);

/** Begins the keys of the sets of owners, so that they are not among those of the sessions. */
const OWNERS = 'owner:';

/** Options of connect-redis and of clients, and where they went. */
const ELSEWHERE = {
  url: 'it is client: createClient({ url })',
  redis: 'it is client',
  ttl: 'set ttl or cookie.maxAge of session() instead',
  serializer: 'set serializer of session() instead',
  disableTouch: 'set touchAfter of session() instead',
  disableTTL: 'every session expires; set cookie.maxAge of session() for long ones',
  scanCount: 'ids() needs none',
};

const TROUBLES: readonly Trouble[] = [
  {
    sign: /READONLY/,
    code: 'ERR_SESSION_STORE_READ_ONLY',
    advice: 'the server is a read-only replica. Connect the client to the primary.',
  },
  {
    sign: /NOAUTH|WRONGPASS|NOPERM|invalid password|AUTH failed/i,
    code: 'ERR_SESSION_STORE_DENIED',
    advice:
      'the server refuses the user or password, or the user may not run this command. ' +
      'Check the credentials in the client options and the rights of the user (ACL).',
  },
  {
    sign: /\bOOM\b|MISCONF|No space left/,
    code: 'ERR_SESSION_STORE_FULL',
    advice: 'the server has no memory or disk space left for a write. Raise maxmemory or free space.',
  },
  {
    sign: /ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOST|ENET|closed|offline|disconnect|time(d )?out|max retries|root nodes|redirections|slots cache|writeable|CLUSTERDOWN|LOADING|MASTERDOWN|TRYAGAIN/i,
    code: 'ERR_SESSION_STORE_UNREACHABLE',
    advice:
      'there is no connection to the server. Check that it runs and that the client was connected ' +
      '(await client.connect()); service returns when the connection does.',
  },
];

function fail(cause: unknown): never {
  throw storeError('RedisStore', TROUBLES, cause);
}

/** The session is destroyed all the same. */
function warnOfSilence(cause: unknown): void {
  const { message } = storeError('RedisStore', TROUBLES, cause);
  warnOnce(
    'WARN_SESSION_STORE_NOTICES',
    `${message}. Other processes can't be told of destroyed sessions, and notice them within checkInterval.`,
  );
}
