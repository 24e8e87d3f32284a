import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { RedisStore } from '../../lib/stores/redis.js';
import { eventually } from '../support/async.js';
import { describeWith, type RedisServer, startRedis } from '../support/servers.js';
import { closeAll, closeLater, hashed, startSite } from './support.js';

/** The codes of all warnings so far: each is given once. */
const warned: unknown[] = [];
beforeAll(() => {
  jest.spyOn(process, 'emitWarning').mockImplementation((_text: unknown, how: any) => {
    warned.push(how?.code);
  });
});
afterAll(() => {
  jest.restoreAllMocks();
});

afterEach(closeAll);

const CLIENTS = {
  'node-redis': async (url: string) => {
    const client = createClient({ url });
    await client.on('error', () => {}).connect();
    return { client, end: () => client.destroy() };
  },
  ioredis: async (url: string) => {
    const client = new Redis(url);
    client.on('error', () => {});
    return { client, end: () => client.disconnect() };
  },
  'ioredis as docs/stores.md advises': async (url: string) => {
    const client = new Redis(url, {
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      lazyConnect: true,
    });
    client.on('error', () => {});
    await client.connect();
    return { client, end: () => client.disconnect() };
  },
};

describeWith('redis-server', 'RedisStore with notify', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());

  describe.each(Object.entries(CLIENTS))('%s', (_, open) => {
    test('tells all processes of what one destroys, until they have heard enough', async () => {
      const [here, there] = [await open(redis.url), await open(redis.url)];
      const listening = new RedisStore({ client: here.client, notify: true });
      const destroying = new RedisStore({ client: there.client, notify: true });
      const heard: string[] = [];
      const stop = await listening.onDestroy!((id) => heard.push(id));
      await destroying.destroy('a');
      await eventually(() => heard[0]);
      stop();
      await destroying.destroy('b');
      await destroying.get('b');

      expect(heard).toEqual([hashed('a')]); // no id is in the messages
      here.end();
      there.end();
    });

    test('listens again when the server is back', async () => {
      const server = await startRedis();
      const [here, there] = [await open(server.url), await open(server.url)];
      const listening = new RedisStore({ client: here.client, notify: true });
      const destroying = new RedisStore({ client: there.client, notify: true });
      const heard: string[] = [];
      const stop = await listening.onDestroy!((id) => heard.push(id));
      await server.restart();
      await eventually(async () => {
        await destroying.destroy('a');
        return heard[0];
      });

      expect(new Set(heard)).toEqual(new Set([hashed('a')]));
      stop();
      here.end();
      there.end();
      await server.stop();
    });

    test('listens again when the app has closed its client and connected it again', async () => {
      const server = await startRedis();
      closeLater(() => server.stop());
      const [here, there] = [await open(server.url), await open(server.url)];
      closeLater(() => [here, there].map(({ end }) => end()));
      const listening = new RedisStore({ client: here.client, notify: true });
      const destroying = new RedisStore({ client: there.client, notify: true });
      const heard: string[] = [];
      const stop = await listening.onDestroy!((id) => heard.push(id));
      here.end();
      await eventually(async () => ((await subscribers(server)) === 0 ? true : undefined));
      await eventually(() => here.client.connect().then(() => true)); // ioredis refuses until it has ended
      await eventually(async () => ((await subscribers(server)) === 1 ? true : undefined));
      await destroying.destroy('a');
      expect(await eventually(() => heard[0])).toBe(hashed('a'));
      stop();

      expect(await eventually(async () => ((await subscribers(server)) === 0 ? 'ended' : undefined))).toBe(
        'ended',
      );
      expect(heard).toHaveLength(1);
    }, 30_000);

    test('listens no more once the store is closed, whatever becomes of its client', async () => {
      const server = await startRedis();
      closeLater(() => server.stop());
      const { client, end } = await open(server.url);
      closeLater(end);
      const store = new RedisStore({ client, notify: true });
      await store.onDestroy!(() => {});
      expect(await subscribers(server)).toBe(1);
      store.close();
      await eventually(async () => ((await subscribers(server)) === 0 ? true : undefined));
      end();
      await eventually(() => client.connect().then(() => true)); // ioredis refuses until it has ended
      await store.destroy('a');

      expect(await subscribers(server)).toBe(0);
    }, 30_000);

    test('a lost connection of its own is made again, and no trouble of a client that the app should listen to', async () => {
      const server = await startRedis();
      closeLater(() => server.stop());
      const { client, end } = await open(server.url);
      closeLater(end);
      const store = new RedisStore({ client, notify: true });
      const duplicated = jest.spyOn(client as Redis, 'duplicate');
      const heard: string[] = [];
      await store.onDestroy!((id) => heard.push(id));
      const lost = new Promise((resolve) => duplicated.mock.results[0]!.value.once('reconnecting', resolve));
      await inRedis(server, ['CLIENT', 'KILL', 'TYPE', 'pubsub']);
      await lost;
      await eventually(async () => ((await subscribers(server)) === 1 ? true : undefined));
      await store.destroy('a');

      expect(await eventually(() => heard[0])).toBe(hashed('a'));
      expect(warned).toEqual([]);
    });

    test('listens only where sockets are open, and its connection ends with the client', async () => {
      const { client, end } = await open(redis.url);
      const site = await startSite({ options: { store: new RedisStore({ client, notify: true }) } });
      await site.inRequest((req) => void Object.assign(req.session, { user: 'ada' }));
      const count = () => subscribers(redis);
      expect(await count()).toBe(0);
      await site.open();
      await eventually(async () => ((await count()) === 1 ? true : undefined));
      end();

      expect(await eventually(async () => ((await count()) === 0 ? 'ended' : undefined))).toBe('ended');
    });
  });

  test('without notify nothing is told, and there is nothing to listen to', async () => {
    const { client, end } = await CLIENTS['node-redis'](redis.url);
    const store = new RedisStore({ client });

    expect(store.onDestroy).toBeUndefined();
    end();
  });

  test('a client without pub/sub is refused', async () => {
    const { client, end } = await CLIENTS['node-redis'](redis.url);
    const without = new Proxy(client, {
      get: (of, name) => (name === 'subscribe' ? undefined : Reflect.get(of, name)),
    });

    expect(() => new RedisStore({ client: without, notify: true })).toThrow(
      'RedisStore: notify needs a client that can publish(), subscribe() and duplicate()',
    );
    end();
  });
});

async function subscribers(redis: RedisServer): Promise<number> {
  return ((await clientList(redis)).match(/ sub=1 /g) ?? []).length;
}

function clientList(redis: RedisServer): Promise<string> {
  return inRedis(redis, ['CLIENT', 'LIST']);
}

async function inRedis(redis: RedisServer, command: string[]): Promise<string> {
  const client = await createClient({ url: redis.url })
    .on('error', () => {})
    .connect();
  const text = String(await client.sendCommand(command));
  client.destroy();
  return text;
}
