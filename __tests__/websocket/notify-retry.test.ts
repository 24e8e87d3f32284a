import { Redis } from 'ioredis';
import { RedisStore } from '../../lib/stores/redis.js';
import { eventually } from '../support/async.js';
import { describeWith, startRedis } from '../support/servers.js';
import { closeAll, closeLater, hashed, startSite } from './support.js';
import { TellingStore } from './telling-store.js';

afterEach(closeAll);

const HOUR = 3_600_000;
const ENDED = [1008, 'session ended'];

/** A store whose server is away when somebody wants to listen, some times. */
class FailingStore extends TellingStore {
  failures: number;
  throws = false;

  constructor(failures: number) {
    super();
    this.failures = failures;
  }

  override onDestroy(listener: (name: string) => void): Promise<() => void> {
    if (this.failures-- <= 0) return super.onDestroy(listener);
    if (this.throws) throw new Error('away');
    return Promise.reject(new Error('away'));
  }
}

describe('a store that cannot be listened to at first', () => {
  test.each([false, true])('is asked again, and reported once (throws: %p)', async (throws) => {
    const store = new FailingStore(3);
    store.throws = throws;
    const site = await startSite({ store, sockets: { checkInterval: HOUR } });
    const told: unknown[] = [];
    site.sessions.on('error', ({ error }) => told.push((error as Error).message));
    await site.inRequest((req) => void Object.assign(req.session, { user: 'ada' }));
    const client = await site.open();
    await eventually(() => store.listeners.size || undefined);
    const there = await startSite({ store });
    await there.inRequest((req) => void req.session.destroy(), site.cookie());

    expect(await client.closed).toEqual(ENDED);
    expect(told).toEqual(['away']);
  });

  test('has its sockets looked up when it is: it told nobody of what ended before', async () => {
    const store = new FailingStore(3);
    const site = await startSite({ store, sockets: { checkInterval: HOUR } });
    site.sessions.on('error', () => {});
    await site.inRequest((req) => void Object.assign(req.session, { user: 'ada' }));
    const client = await site.open();
    expect(store.listeners.size).toBe(0);
    store.records.clear();

    expect(await client.closed).toEqual(ENDED);
  });
});

describeWith('redis-server', 'RedisStore with notify', () => {
  test('over ioredis: a server that is away when the first socket opens is listened to when it is back', async () => {
    const server = await startRedis();
    closeLater(() => server.stop());
    const client = new Redis(server.url, { maxRetriesPerRequest: 0 });
    closeLater(() => client.disconnect());
    client.on('error', () => {});
    const store = new RedisStore({ client, notify: true });
    const heard: string[] = [];
    await client.ping();
    const restarted = server.restart();
    await eventually(() => (client.status === 'ready' ? undefined : true));
    const listening = store.onDestroy!((id) => heard.push(id));
    await Promise.all([restarted, listening]);
    await eventually(async () => {
      await store.destroy('a');
      return heard[0];
    });

    expect(new Set(heard)).toEqual(new Set([hashed('a')]));
  });

  test('a subscription that fails leaves no connection behind; when the client has ended, none is made', async () => {
    const server = await startRedis();
    closeLater(() => server.stop());
    const client = new Redis(server.url);
    const duplicates: Redis[] = [];
    const { duplicate } = client;
    client.duplicate = (override) => {
      const made = duplicate.call(client, override);
      made.subscribe = async () => {
        throw new Error('refused');
      };
      duplicates.push(made);
      return made;
    };
    const store = new RedisStore({ client, notify: true });
    await expect(store.onDestroy!(() => {})).rejects.toThrow('refused');
    await eventually(() => (duplicates[0]!.status === 'end' ? true : undefined));
    client.disconnect();
    await eventually(() => (client.status === 'end' ? true : undefined));
    const stop = await store.onDestroy!(() => {});
    stop();

    expect(duplicates).toHaveLength(1);
  });

  test('a client that has ended and is connected again is listened to', async () => {
    const server = await startRedis();
    closeLater(() => server.stop());
    const client = new Redis(server.url);
    closeLater(() => client.disconnect());
    const store = new RedisStore({ client, notify: true });
    await client.ping();
    client.disconnect();
    await eventually(() => (client.status === 'end' ? true : undefined));
    await client.connect();
    const heard: string[] = [];
    await store.onDestroy!((id) => heard.push(id));
    await store.destroy('a');

    expect(await eventually(() => heard[0])).toBe(hashed('a'));
  });
});
