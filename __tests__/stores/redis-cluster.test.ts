import { Cluster, Redis } from 'ioredis';
import { createCluster } from 'redis';
import { conformance } from '../../lib/conformance/index.js';
import { noticeOf } from '../../lib/stores/id-hash.js';
import { RedisStore } from '../../lib/stores/redis.js';
import { collect, eventually } from '../support/async.js';
import { describeWith, type RedisCluster, type RedisServer, startRedisCluster } from '../support/servers.js';

const later = () => Date.now() + 3_600_000;

interface Handle {
  client: ConstructorParameters<typeof RedisStore>[0]['client'];
  close(): unknown;
}

type Connect = (cluster: RedisCluster, options?: { keyPrefix?: string }) => Promise<Handle>;

const connectNodeRedis: Connect = async ({ rootNodes }, options = {}) => {
  const client = createCluster({
    rootNodes,
    ...options,
    defaults: { disableOfflineQueue: true, socket: { reconnectStrategy: 20 } },
  });
  client.on('error', () => {});
  await client.connect();
  return { client, close: () => client.destroy() };
};

const connectIoredis: Connect = async ({ nodes }, options = {}) => {
  const client = new Cluster(
    nodes.map(({ host, port }) => ({ host, port })),
    { lazyConnect: true, retryDelayOnClusterDown: 20, clusterRetryStrategy: () => 20, ...options },
  );
  client.on('error', () => {});
  await client.connect();
  return { client, close: () => client.disconnect() };
};

describeWith('redis-server', 'RedisStore on a cluster', () => {
  let cluster: RedisCluster;

  beforeAll(async () => {
    cluster = await startRedisCluster(3);
  }, 60_000);
  afterAll(() => cluster.stop());

  async function restart(node: RedisServer): Promise<void> {
    await node.restart();
    await cluster.whole();
  }

  describe.each([
    ['node-redis', connectNodeRedis],
    ['ioredis', connectIoredis],
  ])('with %s', (name, open) => {
    let handle: Handle;
    let another: Handle;
    let store: RedisStore;

    beforeAll(async () => {
      handle = await open(cluster);
      another = await open(cluster);
      store = new RedisStore({ client: handle.client, prefix: `${name}:` });
    });
    afterAll(async () => {
      await handle.close();
      await another.close();
    });

    conformance({
      test,
      store: () => store,
      second: () => new RedisStore({ client: another.client, prefix: `${name}:` }),
      separate: () => new RedisStore({ client: handle.client, prefix: 'another:' }),
      ttlGranularity: 100, // the server counts from when it gets the command, which takes time on a busy machine
      patience: 15_000,
      interrupt: async () => {
        await cluster.nodes[0]!.kill();
        return () => restart(cluster.nodes[0]!);
      },
    });

    test('sessions lie on all masters, and ids lists those of all', async () => {
      const spread = new RedisStore({ client: handle.client, prefix: `spread-${name}:` });
      const ids = Array.from({ length: 60 }, (_, n) => `id${n}`);
      for (const id of ids) await spread.set(id, 'text', { expires: later() });
      const sizes = await Promise.all(cluster.nodes.map(({ url }) => countKeys(url, `spread-${name}:*`)));
      expect(sizes.reduce((a, b) => a + b)).toBe(60);
      expect(Math.min(...sizes)).toBeGreaterThan(0);
      expect((await collect(spread.ids())).sort()).toEqual(ids.sort());
    });

    test("a client's own key prefix comes before the store's", async () => {
      const prefixing = await open(cluster, { keyPrefix: `${name}-app:` });
      const own = new RedisStore({ client: prefixing.client, prefix: 's:' });
      try {
        for (const id of ['a', 'b', 'c', 'd', 'e']) await own.set(id, 'text', { expires: later() });
        expect(await own.set('a', 'new', { expires: later(), expected: 'text' })).toBe(true);
        expect((await collect(own.ids())).sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
      } finally {
        await prefixing.close();
      }
    });

    test('with notify, what one process destroys others hear of, whichever node has it', async () => {
      const options = { prefix: `told-${name}:`, notify: true };
      const listening = new RedisStore({ client: another.client, ...options });
      const destroying = new RedisStore({ client: handle.client, ...options });
      const heard: string[] = [];
      const stop = await listening.onDestroy!((id) => heard.push(id));
      const ids = Array.from({ length: 12 }, (_, n) => `id${n}`);
      for (const id of ids) {
        await destroying.set(id, 'text', { expires: later() });
        await destroying.destroy(id);
      }
      await eventually(() => heard[11]);
      stop();
      await destroying.destroy('unheard');
      await destroying.get('unheard');

      expect(heard.sort()).toEqual(ids.map(noticeOf).sort());
    });

    test("the connections of notify end with the client's", async () => {
      const own = await open(cluster);
      const store = new RedisStore({ client: own.client, prefix: `ended-${name}:`, notify: true });
      await store.onDestroy!(() => {});
      const subscribers = async () => {
        const counts = cluster.nodes.map(({ url }) =>
          onNode(url, async (node) => Number((await node.pubsub('NUMSUB', `ended-${name}:destroyed`))[1])),
        );
        return (await Promise.all(counts)).reduce((a, b) => a + b);
      };
      expect(await subscribers()).toBe(1);
      await own.close();

      expect(await eventually(async () => ((await subscribers()) === 0 ? 'ended' : undefined))).toBe('ended');
    });

    test('each node gets the script when it is first needed there', async () => {
      for (const { url } of cluster.nodes) await onNode(url, (node) => node.script('FLUSH'));
      for (let n = 0; n < 20; n++) {
        await store.set(`script${n}`, 'a', { expires: later() });
        expect(await store.set(`script${n}`, 'b', { expires: later(), expected: 'a' })).toBe(true);
        expect(await store.set(`script${n}`, 'c', { expires: later(), expected: 'a' })).toBe(false);
      }
    });

    test('a node that is down is reported, the others serve, and it serves again when it is back', async () => {
      const ids = Array.from({ length: 30 }, (_, n) => `node${n}`);
      for (const id of ids) await store.set(id, 'text', { expires: later() });
      const down = cluster.nodes[1]!;
      const there = await onNode(down.url, (node) => node.keys(`${name}:node*`));
      await down.kill();
      try {
        const lost = ids.find((id) => there.includes(`${name}:${id}`))!;
        const found = ids.find((id) => !there.includes(`${name}:${id}`))!;
        await expect(store.get(lost)).rejects.toMatchObject({
          code: 'ERR_SESSION_STORE_UNREACHABLE',
          message: expect.stringMatching(/^RedisStore: there is no connection to the server\./),
        });
        expect(await store.get(found)).toBe('text');
      } finally {
        await restart(down);
      }
      for (const id of ids) {
        expect(await eventually(() => store.set(id, 'new', { expires: later() }))).toBe(true);
        expect(await store.get(id)).toBe('new');
      }
    }, 30_000);
  });
});

async function onNode<T>(url: string, use: (node: Redis) => Promise<T>): Promise<T> {
  const node = new Redis(url);
  try {
    return await use(node);
  } finally {
    node.disconnect();
  }
}

async function countKeys(url: string, pattern: string): Promise<number> {
  return onNode(url, async (node) => (await node.keys(pattern)).length);
}
