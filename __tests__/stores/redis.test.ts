import { connect, type Socket } from 'node:net';
import { RedisStore as ConnectRedis } from 'connect-redis';
import { Redis } from 'ioredis';
import { createClient, createClientPool } from 'redis';
import { conformance } from '../../lib/conformance/index.js';
import { RedisStore } from '../../lib/stores/redis.js';
import type { SessionStore } from '../../lib/stores/store.js';
import { collect, eventually } from '../support/async.js';
import { describeWith, type RedisServer, startRedis } from '../support/servers.js';

const HOUR = 3_600_000;
const later = () => Date.now() + HOUR;

/** What the tests need of either client. */
interface Handle {
  client: ConstructorParameters<typeof RedisStore>[0]['client'];
  close(): unknown;
}

type Connect = (redis: RedisServer, options?: { password?: string; keyPrefix?: string }) => Promise<Handle>;

const connectNodeRedis: Connect = async ({ url }, options = {}) => {
  const { keyPrefix } = options;
  const client = createClient({
    url,
    disableOfflineQueue: true,
    socket: { reconnectStrategy: 20 },
    ...(keyPrefix && { keyPrefix }),
  });
  client.on('error', () => {});
  await client.connect();
  return { client, close: () => client.destroy() };
};

const connectIoredis: Connect = async ({ url }, options = {}) => {
  const client = new Redis(url, {
    enableOfflineQueue: false,
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => 20,
    ...options,
  });
  client.on('error', () => {});
  await client.connect();
  return { client, close: () => client.disconnect() };
};

const clients = [
  ['node-redis', connectNodeRedis],
  ['ioredis', connectIoredis],
] as const;

describeWith('redis-server', 'RedisStore', () => {
  let redis: RedisServer;

  beforeAll(async () => {
    redis = await startRedis(['--appendonly', 'yes']);
  });
  afterAll(() => redis.stop());

  describe.each(clients)('with %s', (_name, open) => {
    let handle: Handle;
    let another: Handle;
    let store: RedisStore;

    beforeAll(async () => {
      handle = await open(redis);
      another = await open(redis);
      store = new RedisStore({ client: handle.client });
    });
    afterAll(async () => {
      await handle.close();
      await another.close();
    });

    conformance({
      test,
      store: () => store,
      second: () => new RedisStore({ client: another.client }),
      separate: () => new RedisStore({ client: handle.client, prefix: 'another:' }),
      ttlGranularity: 100, // the server counts from when it gets the command, which takes time on a busy machine
      interrupt: async () => {
        await redis.kill();
        return () => redis.restart();
      },
    });

    test('each operation is one command', async () => {
      await store.set('ops', 'b', { expires: later(), expected: 'a' }); // now the server has the script
      const commands = await recordCommands(redis);
      const at = later();
      await store.set('ops', 'a', { expires: at });
      await store.set('ops', 'b', { expires: at, expected: null });
      await store.set('ops', 'b', { expires: at, expected: 'a' });
      await store.get('ops');
      await store.touch('ops', at);
      await store.getAndTouch('ops', at);
      await store.destroy('ops');
      await store.set('ops', 'gone', { expires: 0 });
      const sent = await commands.stop();
      expect(sent.map(([name, key]) => [name?.toLowerCase(), key])).toEqual([
        ['set', 'sess:ops'],
        ['set', 'sess:ops'],
        ['evalsha', expect.stringMatching(/^[0-9a-f]{40}$/)],
        ['get', 'sess:ops'],
        ['pexpire', 'sess:ops'],
        ['getex', 'sess:ops'],
        ['del', 'sess:ops'],
        ['del', 'sess:ops'],
      ]);
    });

    test('a conditional write does not send the text that it expects', async () => {
      const old = JSON.stringify({ old: 'x'.repeat(50_000) });
      await store.set('cas', old, { expires: later() });
      await store.set('cas', old, { expires: later(), expected: old });

      const before = await bytesReceived(redis);
      expect(await store.set('cas', '{"new":1}', { expires: later(), expected: old })).toBe(true);
      expect((await bytesReceived(redis)) - before).toBeLessThan(1000);
      expect(await store.get('cas')).toBe('{"new":1}');
    });

    test('a server that has forgotten the script gets it again, once', async () => {
      await store.set('script', 'a', { expires: later() });
      await command(redis, 'SCRIPT FLUSH');
      const commands = await recordCommands(redis);
      expect(await store.set('script', 'b', { expires: later(), expected: 'a' })).toBe(true);
      expect(await store.set('script', 'c', { expires: later(), expected: 'b' })).toBe(true);
      const sent = await commands.stop();
      expect(sent.map(([name]) => name?.toLowerCase())).toEqual(['evalsha', 'eval', 'evalsha']);
      expect(await store.get('script')).toBe('c');
    });

    test('a record expires when it is said to, to the millisecond', async () => {
      const left = async () => Number(await command(redis, 'PTTL sess:exact'));
      const writes = [
        () => store.set('exact', 'a', { expires: Date.now() + 12_345.6 }),
        () => store.set('exact', 'b', { expires: Date.now() + 12_345.6, expected: 'a' }),
        () => store.touch('exact', Date.now() + 12_345.6),
        () => store.getAndTouch('exact', Date.now() + 12_345.6),
      ];
      for (const write of writes) {
        await command(redis, 'PEXPIRE sess:exact 1000000');
        const start = Date.now();
        await write();
        const rest = await left();
        expect(rest).toBeLessThanOrEqual(12_344);
        expect(rest).toBeGreaterThanOrEqual(12_344 - (Date.now() - start) - 1);
      }
      await store.destroy('exact');
      await store.set('exact', 'a', { expires: Date.now() + 12_345.6, expected: null });
      expect(await left()).toBeGreaterThan(10_000);
    });

    test('a time too far for the server counts as the last that a Date can hold', async () => {
      expect(await store.set('far', 'a', { expires: Infinity })).toBe(true);
      expect(await store.set('far', 'b', { expires: 1e300, expected: 'a' })).toBe(true);
      expect(await store.touch('far', Infinity)).toBe(true);
      expect(await store.getAndTouch('far', Infinity)).toBe('b');
      expect(Number(await command(redis, 'PEXPIRETIME sess:far'))).toBeGreaterThan(8.63e15);
    });

    test('an expiry in the past deletes where the write would have been done', async () => {
      await store.set('past', 'a', { expires: later() });
      expect(await store.set('past', 'b', { expires: 1, expected: 'other' })).toBe(false);
      expect(await store.set('past', 'b', { expires: 1, expected: null })).toBe(false);
      expect(await store.get('past')).toBe('a');
      expect(await store.set('past', 'b', { expires: 1, expected: 'a' })).toBe(true);
      expect(await command(redis, 'EXISTS sess:past')).toBe('0');
      expect(await store.set('past', 'b', { expires: 1, expected: null })).toBe(true);
      expect(await store.set('past', 'b', { expires: 1 })).toBe(true);
      expect(await command(redis, 'EXISTS sess:past')).toBe('0');
    });

    test('getAndTouch gives the text and prolongs it', async () => {
      await store.set('gat', 'text', { expires: Date.now() + 10_000 });
      expect(await store.getAndTouch('gat', later())).toBe('text');
      expect(Number(await command(redis, 'PTTL sess:gat'))).toBeGreaterThan(HOUR - 10_000);
      expect(await store.getAndTouch('no-such', later())).toBe(undefined);
      expect(await command(redis, 'EXISTS sess:no-such')).toBe('0');
      expect(await store.getAndTouch('gat', 1)).toBe('text');
      expect(await store.get('gat')).toBe(undefined);
    });

    test('an empty text is a record too', async () => {
      await store.set('empty', '', { expires: later() });
      expect(await store.get('empty')).toBe('');
      expect(await store.set('empty', 'x', { expires: later(), expected: null })).toBe(false);
      expect(await store.set('empty', 'x', { expires: later(), expected: '' })).toBe(true);
    });

    test('ids lists what is under the prefix, whatever characters that has', async () => {
      for (const prefix of ['a*c:', 'a[b]c:', 'a?c:', 'a\\c:', 'abc:']) {
        const own = new RedisStore({ client: handle.client, prefix });
        await own.set(`of ${prefix}`, '1', { expires: later() });
        expect(await collect(own.ids())).toEqual([`of ${prefix}`]);
      }
    });

    test('ids lists a session once, also when the server gives its key twice', async () => {
      // As it may while it resizes its table, which can't be brought about at will.
      const client = new Proxy(handle.client, {
        get(target, name) {
          const member = Reflect.get(target, name);
          if (typeof member !== 'function') return member;
          if (name !== 'scan') return member.bind(target);
          return async (...args: unknown[]) => {
            const page = await member.apply(target, args);
            if (Array.isArray(page)) return [page[0], [...page[1], ...page[1]]];
            return { ...page, keys: [...page.keys, ...page.keys] };
          };
        },
      });
      const own = new RedisStore({ client, prefix: 'twice:' });
      for (const id of ['a', 'b']) await own.set(id, 'text', { expires: later() });
      expect((await collect(own.ids())).sort()).toEqual(['a', 'b']);
    });

    test("a client's own key prefix comes before the store's", async () => {
      const prefixing = await open(redis, { keyPrefix: 'app*:' });
      const own = new RedisStore({ client: prefixing.client, prefix: 's:' });
      try {
        await own.set('id', 'one', { expires: later() });
        expect(await own.set('id', 'two', { expires: later(), expected: 'one' })).toBe(true);
        expect(await command(redis, 'GET app*:s:id')).toBe('two');
        expect(await collect(own.ids())).toEqual(['id']);
        await own.destroy('id');
        expect(await command(redis, 'EXISTS app*:s:id')).toBe('0');
      } finally {
        await prefixing.close();
      }
    });

    test('a key of another type is an error that keeps what the server said', async () => {
      await command(redis, 'RPUSH sess:list x');
      await expect(store.get('list')).rejects.toMatchObject({
        name: 'SteadyError',
        code: 'ERR_SESSION_STORE_FAILED',
        message: expect.stringMatching(/^RedisStore: the database reported an error\. \(WRONGTYPE .*\)$/),
        cause: { message: expect.stringContaining('WRONGTYPE') },
      });
      const commands = await recordCommands(redis);
      await expect(store.set('list', 'a', { expires: later(), expected: 'b' })).rejects.toMatchObject({
        code: 'ERR_SESSION_STORE_FAILED',
      });
      expect((await commands.stop()).map(([name]) => name?.toLowerCase())).toEqual(['evalsha']); // and no second try
      await store.destroy('list');
    });

    test('each operation reports a server that is down, and works again when it is back', async () => {
      await store.set('crash', 'kept', { expires: later() });
      await redis.kill();
      try {
        const lost = {
          name: 'SteadyError',
          code: 'ERR_SESSION_STORE_UNREACHABLE',
          help: expect.stringMatching(/#err_session_store_unreachable$/),
          message: expect.stringMatching(
            /^RedisStore: there is no connection to the server\. Check that it runs/,
          ),
          cause: expect.any(Object),
        };
        const expires = later();
        await expect(store.get('crash')).rejects.toMatchObject(lost);
        await expect(store.set('crash', 'b', { expires })).rejects.toMatchObject(lost);
        await expect(store.set('crash', 'b', { expires, expected: null })).rejects.toMatchObject(lost);
        await expect(store.set('crash', 'b', { expires, expected: 'kept' })).rejects.toMatchObject(lost);
        await expect(store.touch('crash', expires)).rejects.toMatchObject(lost);
        await expect(store.getAndTouch('crash', expires)).rejects.toMatchObject(lost);
        await expect(store.destroy('crash')).rejects.toMatchObject(lost);
        await expect(collect(store.ids())).rejects.toMatchObject(lost);
      } finally {
        await redis.restart();
      }
      expect(await eventually(() => store.get('crash'))).toBe('kept');
      // The script has to be sent again.
      expect(await store.set('crash', 'changed', { expires: later(), expected: 'kept' })).toBe(true);
      expect(await store.get('crash')).toBe('changed');
    });

    test('connect-redis reads what the store wrote', async () => {
      const text = JSON.stringify({ cookie: { originalMaxAge: HOUR, path: '/' }, user: 'alice' });
      await store.set('ours', text, { expires: later() });
      await withConnectRedis(redis, async (theirs) => {
        expect(await theirs.get('ours')).toEqual(JSON.parse(text));
        await theirs.touch('ours', { cookie: { expires: new Date(Date.now() + 60_000) } } as never);
        expect(Number(await command(redis, 'PTTL sess:ours'))).toBeLessThanOrEqual(60_000);
        expect((await theirs.ids(undefined as never)) as unknown as string[]).toContain('ours');
        await theirs.destroy('ours');
      });
      expect(await store.get('ours')).toBe(undefined);
    });

    test('the store reads, changes and prolongs what connect-redis wrote', async () => {
      const data = { cookie: { originalMaxAge: HOUR, expires: new Date(later()) }, user: 'bob' };
      const text = JSON.stringify(data);
      await withConnectRedis(redis, async (theirs) => {
        await theirs.set('theirs', data as never);
        expect(await store.get('theirs')).toBe(text);
        expect(await collect(store.ids())).toContain('theirs');
        expect(await store.touch('theirs', Date.now() + 2 * HOUR)).toBe(true);
        expect(Number(await command(redis, 'PTTL sess:theirs'))).toBeGreaterThan(HOUR);
        expect(await store.set('theirs', '{"cookie":{}}', { expires: later(), expected: text })).toBe(true);
        expect(await theirs.get('theirs')).toEqual({ cookie: {} });
      });
    });
  });

  test('stores with different clients see the same records, and races between them have one winner', async () => {
    const handles = await Promise.all(clients.map(([, open]) => open(redis)));
    const stores = handles.map(({ client }) => new RedisStore({ client }));
    for (let round = 0; round < 20; round++) {
      await stores[0]!.set('both', `${round}`, { expires: later() });
      const expected = `${round}`;
      const writes = stores.map((own, n) => own.set('both', `${round}-${n}`, { expires: later(), expected }));
      const winner = (await Promise.all(writes)).indexOf(true);
      expect(await stores[1]!.get('both')).toBe(`${round}-${winner}`);
    }
    await Promise.all(handles.map((handle) => handle.close()));
  });

  test('a client that gives numbers as strings serves', async () => {
    const client = new Redis(redis.url, { stringNumbers: true });
    const store = new RedisStore({ client, prefix: 'strings:' });
    try {
      await store.set('a', 'one', { expires: later() });
      expect(await store.set('a', 'two', { expires: later(), expected: 'one' })).toBe(true);
      expect(await store.touch('a', later())).toBe(true);
      expect(await store.touch('b', later())).toBe(false);
    } finally {
      client.disconnect();
    }
  });

  test('a pool of node-redis clients serves', async () => {
    const client = createClientPool({ url: redis.url });
    await client.connect();
    const store = new RedisStore({ client, prefix: 'pool:' });
    try {
      await store.set('a', 'one', { expires: later() });
      expect(await store.set('a', 'two', { expires: later(), expected: 'one' })).toBe(true);
      expect(await store.get('a')).toBe('two');
      expect(await collect(store.ids())).toEqual(['a']);
    } finally {
      client.destroy();
    }
  });

  test('a client that was never connected is reported', async () => {
    const store = new RedisStore({ client: createClient({ url: redis.url }) });
    await expect(store.get('a')).rejects.toMatchObject({
      code: 'ERR_SESSION_STORE_UNREACHABLE',
      message: expect.stringContaining('(await client.connect())'),
    });
  });

  test('an error of a client that nobody listens to is a warning, once, and not the end of the process', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const client = await createClient({ url: redis.url }).connect();
    const store = new RedisStore({ client });
    new RedisStore({ client, prefix: 'other:' });
    try {
      const heard = new Promise((resolve) => client.once('error', resolve));
      await command(redis, 'CLIENT KILL TYPE normal');
      expect(await heard).toMatchObject({ message: 'Socket closed unexpectedly' });
      expect(warn).not.toHaveBeenCalled(); // somebody listened

      for (let round = 0; round < 2; round++) {
        await eventually(() => store.touch('a', later()));
        const lost = new Promise((resolve) => client.once('reconnecting', resolve));
        await command(redis, 'CLIENT KILL TYPE normal');
        await lost;
      }
      expect(warn.mock.calls).toEqual([
        [
          expect.stringMatching(
            /^The client of RedisStore reported an error and the app does not listen for its errors: Socket closed unexpectedly\. Add client\.on\('error', \.\.\.\) to have them all\. \(http/,
          ),
          { type: 'SteadySessionWarning', code: 'WARN_SESSION_STORE_CLIENT' },
        ],
      ]);
    } finally {
      client.destroy();
      warn.mockRestore();
    }
  });
});

describeWith('redis-server', 'RedisStore on a server that refuses', () => {
  let stop: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of stop.reverse()) await end();
    stop = [];
  });

  async function server(...args: string[]): Promise<RedisServer> {
    const redis = await startRedis(args);
    stop.push(() => redis.stop());
    return redis;
  }

  async function storeOn(open: Connect, redis: RedisServer): Promise<SessionStore> {
    const { client, close } = await open(redis);
    stop.push(close);
    return new RedisStore({ client });
  }

  test('a missing or wrong password', async () => {
    const redis = await server('--requirepass', 'right');
    const client = new Redis(redis.url, { password: 'wrong' });
    stop.push(() => client.disconnect());
    await expect(new RedisStore({ client }).get('a')).rejects.toMatchObject({
      code: 'ERR_SESSION_STORE_DENIED',
      message: expect.stringMatching(
        /^RedisStore: the server refuses the user or password.* Check the credentials in the client options/,
      ),
    });
  });

  test.each(clients)('a user who may only read, by %s', async (_name, open) => {
    const redis = await server();
    await command(redis, 'ACL SETUSER default resetkeys ~* -@all +@connection +@read');
    const store = await storeOn(open, redis);
    expect(await store.get('a')).toBe(undefined);
    await expect(store.set('a', 'b', { expires: later() })).rejects.toMatchObject({
      code: 'ERR_SESSION_STORE_DENIED',
    });
  });

  test.each(clients)('a read-only replica, by %s', async (_name, open) => {
    const primary = await server('--repl-diskless-sync-delay', '0');
    const replica = await server('--replicaof', primary.host, `${primary.port}`);
    const store = await storeOn(open, replica);
    const readOnly = {
      code: 'ERR_SESSION_STORE_READ_ONLY',
      message: expect.stringMatching(
        /^RedisStore: the server is a read-only replica\. Connect the client to the primary\. \(.*READONLY/,
      ),
    };
    await expect(store.set('a', 'b', { expires: later() })).rejects.toMatchObject(readOnly);
    await (await storeOn(open, primary)).set('a', 'b', { expires: later() });
    expect(await eventually(() => store.get('a'))).toBe('b');
    await expect(store.set('a', 'c', { expires: later(), expected: 'b' })).rejects.toMatchObject(readOnly);
    await expect(store.touch('a', later())).rejects.toMatchObject(readOnly);
    await expect(store.destroy('a')).rejects.toMatchObject(readOnly);
  });

  test.each(clients)('no memory left, by %s', async (_name, open) => {
    const redis = await server();
    const store = await storeOn(open, redis);
    await store.set('a', 'c', { expires: later() });
    await command(redis, 'CONFIG SET maxmemory 1');
    const full = {
      code: 'ERR_SESSION_STORE_FULL',
      message: expect.stringMatching(
        /^RedisStore: the server has no memory or disk space left.*Raise maxmemory/,
      ),
    };
    await expect(store.set('a', 'b', { expires: later() })).rejects.toMatchObject(full);
    await expect(store.set('a', 'b', { expires: later(), expected: 'c' })).rejects.toMatchObject(full);
    expect(await store.get('a')).toBe('c');
  });
});

describe('options of RedisStore', () => {
  const client = createClient();
  const has = 'client, prefix, notify';
  const needed = `{ ${has} }`;
  const make = (options: unknown) => () => new RedisStore(options as never);

  test.each([
    [undefined, `RedisStore needs an object of options (${needed}); got undefined`],
    [null, `RedisStore needs an object of options (${needed}); got null`],
    ['redis://:secret@host', `RedisStore needs an object of options (${needed}); got a string`],
    [
      client,
      `RedisStore needs an object of options; got an object (${client.constructor.name}), which is its option client: pass { client }, as in new RedisStore({ client })`,
    ],
    [{ client, prefx: 'a' }, 'RedisStore has no option prefx; did you mean prefix?'],
    [{ client, x: 1 }, `RedisStore has no option x; it has ${has}`],
    [{ client, ttl: 1 }, 'RedisStore has no option ttl; set ttl or cookie.maxAge of session() instead'],
    [{ url: 'redis://localhost' }, 'RedisStore has no option url; it is client: createClient({ url })'],
    [{ client, toString: 1 }, `RedisStore has no option toString; it has ${has}`],
    [{ client, prefix: null }, 'RedisStore: prefix option must be a string; got null'],
    [{ client, notify: 'no' }, 'RedisStore: notify option must be true or false; got "no"'],
  ])('%p is refused', (options, message) => {
    expect(make(options)).toThrow(new TypeError(message));
  });

  const { get, set, del, getEx, pExpire, evalSha } = client;
  test.each([
    [undefined, 'undefined'],
    [null, 'null'],
    ['redis://:secret@localhost', 'a string'],
    [new Map(), 'an object (Map)'],
    [Promise.resolve(client), 'an object (Promise); wait for it: `await ...`'],
    [{ get, set, del, getEx, pExpire, evalSha }, 'a client of node-redis 4'],
  ])('%p is no client', (given, described) => {
    expect(make({ client: given })).toThrow(
      new TypeError(
        `RedisStore: client option must be a client of node-redis 5 or later, or of ioredis; got ${described}. ` +
          'For example: new RedisStore({ client: await createClient({ url }).connect() })',
      ),
    );
  });
});

/** What clients send to the server from now on, as arguments; not what scripts call, nor what connecting takes. */
async function recordCommands(redis: RedisServer): Promise<{ stop(): Promise<string[][]> }> {
  const socket = connect(redis.port, redis.host);
  let log = '';
  socket.on('data', (chunk) => {
    log += chunk;
  });
  socket.write('MONITOR\r\n');
  await eventually(async () => log.includes('+OK') || undefined);
  return {
    async stop() {
      await command(redis, 'ECHO end-of-recording');
      await eventually(async () => log.includes('end-of-recording') || undefined);
      socket.destroy();
      const lines = log.split('\r\n').slice(1, -2);
      return lines
        .filter((line) => !/ lua\] /.test(line))
        .map((line) => Array.from(line.matchAll(/"((?:[^"\\]|\\.)*)"/g), ([, argument]) => argument!));
    },
  };
}

async function bytesReceived(redis: RedisServer): Promise<number> {
  const info = await command(redis, 'INFO stats');
  return Number(/total_net_input_bytes:(\d+)/.exec(info)?.[1]);
}

/** The answer to one command, by a connection of its own. */
function command({ host, port }: RedisServer, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket: Socket = connect(port, host, () => socket.end(`${line}\r\n`));
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => {
      const [head = '', ...rest] = answer.split('\r\n');
      if (head.startsWith('-')) reject(new Error(head));
      else resolve(head.startsWith('$') ? rest.slice(0, -1).join('\r\n') : head.slice(1));
    });
  });
}

async function withConnectRedis(
  redis: RedisServer,
  use: (store: ConnectRedis) => Promise<void>,
): Promise<void> {
  const client = await createClient({ url: redis.url }).connect();
  try {
    await use(new ConnectRedis({ client }));
  } finally {
    client.destroy();
  }
}
