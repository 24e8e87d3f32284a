import { Redis } from 'ioredis';
import { createSentinel } from 'redis';
import { conformance } from '../../lib/conformance/index.js';
import { noticeOf } from '../../lib/stores/id-hash.js';
import { RedisStore } from '../../lib/stores/redis.js';
import { collect, eventually } from '../support/async.js';
import { describeWith, type RedisWithSentinel, startRedisWithSentinel } from '../support/servers.js';

const later = () => Date.now() + 3_600_000;

interface Handle {
  client: ConstructorParameters<typeof RedisStore>[0]['client'];
  close(): unknown;
}

type Connect = (servers: RedisWithSentinel) => Promise<Handle>;

const connectNodeRedis: Connect = async ({ sentinels }) => {
  const client = createSentinel({
    name: 'sessions',
    sentinelRootNodes: sentinels,
    scanInterval: 100,
    nodeClientOptions: { disableOfflineQueue: true },
  });
  client.on('error', () => {});
  await client.connect();
  return { client, close: () => client.destroy() };
};

const connectIoredis: Connect = async ({ sentinels }) => {
  const client = new Redis({ sentinels, name: 'sessions', lazyConnect: true, retryStrategy: () => 20 });
  client.on('error', () => {});
  await client.connect();
  return { client, close: () => client.disconnect() };
};

const clients: [name: string, connect: Connect][] = [
  ['node-redis', connectNodeRedis],
  ['ioredis', connectIoredis],
];

describeWith('redis-server', 'RedisStore behind a Sentinel', () => {
  describe.each(clients)('with %s', (name, open) => {
    let servers: RedisWithSentinel;
    let handle: Handle;
    let another: Handle;

    beforeAll(async () => {
      servers = await startRedisWithSentinel();
      handle = await open(servers);
      another = await open(servers);
    }, 60_000);
    afterAll(async () => {
      await handle.close();
      await another.close();
      await servers.stop();
    });

    conformance({
      test,
      store: () => new RedisStore({ client: handle.client }),
      second: () => new RedisStore({ client: another.client }),
      separate: () => new RedisStore({ client: handle.client, prefix: 'another:' }),
      ttlGranularity: 100, // the server counts from when it gets the command, which takes time on a busy machine
    });

    test('with notify, what one process destroys others hear of', async () => {
      const listening = new RedisStore({ client: another.client, notify: true });
      const destroying = new RedisStore({ client: handle.client, notify: true });
      const heard: string[] = [];
      const stop = await listening.onDestroy!((id) => heard.push(id));
      await destroying.destroy('a');
      expect(await eventually(() => heard[0])).toBe(noticeOf('a'));
      stop();
      listening.close();
    });

    test('the replica takes over, with all sessions that it had got', async () => {
      const store = new RedisStore({ client: handle.client, prefix: `${name}:` });
      for (const id of ['a', 'b']) await store.set(id, 'text', { expires: later() });
      await untilReplicated(servers);
      await servers.primary.kill();

      expect(await eventually(() => store.get('a'))).toBe('text');
      expect(await store.set('a', 'new', { expires: later(), expected: 'text' })).toBe(true);
      expect(await store.set('a', 'newer', { expires: later(), expected: 'text' })).toBe(false);
      expect((await collect(store.ids())).sort()).toEqual(['a', 'b']);
    }, 30_000);
  });
});

async function untilReplicated({ primary }: RedisWithSentinel): Promise<void> {
  const client = new Redis(primary.url);
  await client.set('after', 'all that was written before'); // WAIT waits for its own connection's writes
  await eventually(async () => ((await client.wait(1, 1000)) === 1 ? true : undefined));
  client.disconnect();
}
