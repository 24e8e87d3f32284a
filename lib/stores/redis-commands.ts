import { awaitHint, describeWithoutText, hasMethods } from '../option-checks.js';
import type { ScriptCommands } from './redis-script.js';

// The two clients: how node-redis and ioredis spell what the store asks for.

/** The commands that the store uses, however a client spells them. Times are milliseconds from now. */
export interface Commands extends ScriptCommands {
  get(key: string): Promise<string | null>;
  getex(key: string, left: number): Promise<string | null>;
  set(key: string, value: string, left: number): Promise<unknown>;
  /** `null` if there is a record already. */
  setIfAbsent(key: string, value: string, left: number): Promise<unknown>;
  pexpire(key: string, left: number): Promise<unknown>;
  del(key: string): Promise<unknown>;
  /** Pages of keys as the server has them, of all masters. */
  scan(pattern: string): AsyncIterable<string[]>;
  /** What the client itself puts before all keys; SCAN has to be told, and its answers have it too. */
  keyPrefix(): string;
}

/** What is used of a node-redis client, cluster, pool or sentinel. */
export interface NodeRedisClient {
  get(key: string): Promise<any>;
  getEx(key: string, options: any): Promise<any>;
  set(key: string, value: string, options?: any): Promise<any>;
  pExpire(key: string, milliseconds: number): Promise<any>;
  del(key: string): Promise<any>;
  eval(script: string, options?: any): Promise<any>;
  evalSha(sha1: string, options?: any): Promise<any>;
}

/** What is used of an ioredis client or cluster. */
export interface IoRedisClient {
  get(key: string): Promise<any>;
  getex(key: string, ...options: any[]): Promise<any>;
  set(key: string, value: string, ...options: any[]): Promise<any>;
  pexpire(key: string, milliseconds: number): Promise<any>;
  del(key: string): Promise<any>;
  eval(script: string, numberOfKeys: number, ...args: any[]): Promise<any>;
  evalsha(sha1: string, numberOfKeys: number, ...args: any[]): Promise<any>;
}

export function commandsOf(client: unknown): Commands {
  if (hasMethods(client, 'get', 'set', 'del', 'getEx', 'pExpire', 'evalSha', 'destroy')) {
    return nodeRedisCommands(client as NodeRedisClient);
  }
  if (hasMethods(client, 'get', 'set', 'del', 'getex', 'pexpire', 'evalsha', 'defineCommand')) {
    return ioRedisCommands(client as IoRedisClient);
  }
  const given = hasMethods(client, 'pExpire') ? 'a client of node-redis 4' : describeWithoutText(client);
  throw new TypeError(
    `RedisStore: client option must be a client of node-redis 5 or later, or of ioredis; got ${given}${awaitHint(client)}. ` +
      'For example: new RedisStore({ client: await createClient({ url }).connect() })',
  );
}

/** GETEX refuses 0 milliseconds, but takes an instant that has long passed. */
const AT_ONCE = { type: 'PXAT', value: 1 } as const;

function nodeRedisCommands(client: NodeRedisClient): Commands {
  const { options, _keyPrefix } = client as { options?: { keyPrefix?: string }; _keyPrefix?: string };
  const PX = (left: number) => ({ type: 'PX', value: left }) as const;
  return {
    get: (key) => client.get(key),
    getex: (key, left) => client.getEx(key, left > 0 ? PX(left) : AT_ONCE),
    set: (key, value, left) => client.set(key, value, { expiration: PX(left) }),
    setIfAbsent: (key, value, left) => client.set(key, value, { expiration: PX(left), condition: 'NX' }),
    pexpire: (key, left) => client.pExpire(key, left),
    del: (key) => client.del(key),
    eval: (script, key, args) => client.eval(script, { keys: [key], arguments: args }),
    evalsha: (digest, key, args) => client.evalSha(digest, { keys: [key], arguments: args }),
    keyPrefix: () => options?.keyPrefix ?? _keyPrefix ?? '',
    async *scan(MATCH) {
      for (const node of await nodeRedisMasters(client)) {
        let cursor = '0';
        do {
          const page = await node.scan(cursor, { MATCH, COUNT });
          yield page.keys;
          cursor = String(page.cursor);
        } while (cursor !== '0');
      }
    },
  };
}

function ioRedisCommands(client: IoRedisClient): Commands {
  const { options } = client as { options?: { keyPrefix?: string } };
  return {
    get: (key) => client.get(key),
    getex: (key, left) =>
      left > 0 ? client.getex(key, 'PX', left) : client.getex(key, AT_ONCE.type, AT_ONCE.value),
    set: (key, value, left) => client.set(key, value, 'PX', left),
    setIfAbsent: (key, value, left) => client.set(key, value, 'PX', left, 'NX'),
    pexpire: (key, left) => client.pexpire(key, left),
    del: (key) => client.del(key),
    eval: (script, key, args) => client.eval(script, 1, key, ...args),
    evalsha: (digest, key, args) => client.evalsha(digest, 1, key, ...args),
    keyPrefix: () => options?.keyPrefix ?? '',
    async *scan(pattern) {
      for (const node of ioRedisMasters(client)) {
        let cursor = '0';
        do {
          const [next, keys] = await node.scan(cursor, 'MATCH', pattern, 'COUNT', COUNT);
          yield keys;
          cursor = next;
        } while (cursor !== '0');
      }
    },
  };
}

/** How many keys a step of `ids()` looks at. */
const COUNT = 1000;

interface NodeRedisNode {
  scan(cursor: string, options: object): Promise<{ cursor: unknown; keys: string[] }>;
}

async function nodeRedisMasters(client: object): Promise<NodeRedisNode[]> {
  if (!('masters' in client)) return [client as NodeRedisNode];
  const cluster = client as { masters: object[]; nodeClient(master: object): Promise<NodeRedisNode> };
  return Promise.all(cluster.masters.map((master) => cluster.nodeClient(master)));
}

interface IoRedisNode {
  scan(cursor: string, ...options: unknown[]): Promise<[cursor: string, keys: string[]]>;
}

function ioRedisMasters(client: object): IoRedisNode[] {
  const cluster = client as { isCluster?: boolean; nodes(role: 'master'): IoRedisNode[] };
  return cluster.isCluster ? cluster.nodes('master') : [client as IoRedisNode];
}
