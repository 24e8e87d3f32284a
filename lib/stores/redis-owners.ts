import { type RedisScript, redisScript, runScript, type ScriptCommands } from './redis-script.js';

/** How much longer than its session an entry is kept, in milliseconds: the two are not written at the same moment. */
const SLACK = 60_000;

/**
 * Whose the sessions are: for each user a sorted set of session ids, by the time of their end on the server's clock. An
 * entry leaves it with its session, where no write can come yet that relies on it, or when that time has passed, at the
 * next write for the same user; the set itself ends with its last entry. A listing takes none out: one without a record may
 * be that of a session which is just being written, since the entry is written first.
 */
export class RedisOwners {
  readonly #prefix: string;
  readonly #commands: ScriptCommands;

  /** @param prefix what the keys of the sets begin with */
  constructor(prefix: string, commands: ScriptCommands) {
    this.#prefix = prefix;
    this.#commands = commands;
  }

  /** Notes that a session is the user's and has `left` milliseconds to live; it may have more, from another request. */
  async add(owner: string, id: string, left: number): Promise<void> {
    await runScript(this.#commands, ADD, this.#prefix + owner, [id, `${left + SLACK}`]);
  }

  /** A session of the user's has been destroyed. Where this fails, its entry stays until its time has passed, and does no harm. */
  async remove(owner: string, id: string): Promise<void> {
    await runScript(this.#commands, REMOVE, this.#prefix + owner, [id]).catch(() => {});
  }

  /** The ids of all sessions of the user's that may be alive, the first to end first. */
  async idsOf(owner: string): Promise<string[]> {
    return (await runScript(this.#commands, LIST, this.#prefix + owner, [])) as string[];
  }
}

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

const ADD: RedisScript = redisScript(`${NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], 'GT', string.format('%.0f', now + ARGV[2]), ARGV[1])
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', last[2]))
return 1`);

const REMOVE: RedisScript = redisScript("return redis.call('ZREM', KEYS[1], ARGV[1])");

const LIST: RedisScript = redisScript(`${NOW}
return redis.call('ZRANGEBYSCORE', KEYS[1], now, '+inf')`);
