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

  describe('a user who may not', () => {
    const RIGHTS =
      '~sess:* &sess:destroyed +get +getex +set +pexpire +del +eval +evalsha +subscribe +publish';
    const DENIED =
      'RedisStore: the server refuses the user or password, or the user may not run this command. Check the ' +
      'credentials in the client options and the rights of the user (ACL). (NOPERM this user has no permissions to ';
    const DEAF =
      "). This process can't listen for destroyed sessions, which will be tried again. Until then, what other " +
      'processes destroy is noticed within checkInterval.';
    const MUTE =
      "). Other processes can't be told of destroyed sessions, and notice them within checkInterval.";
    const warned: string[] = [];
    beforeEach(() => {
      warned.length = 0;
      jest.spyOn(process, 'emitWarning').mockImplementation((text: unknown, { code }: any) => {
        warned.push(`${code}: ${text}`);
      });
    });
    afterEach(() => {
      jest.restoreAllMocks();
    });

    /** A store whose user lacks one of the rights that docs/operating.md lists, and what gives it back. */
    async function storeWithout(right: string) {
      const server = await startRedis();
      closeLater(() => server.stop());
      const admin = new Redis(server.url);
      closeLater(() => admin.disconnect());
      const rights = RIGHTS.split(' ').filter((each) => each !== right);
      await admin.call('ACL', 'SETUSER', 'app', 'on', '>password', 'resetchannels', '-@all', ...rights);
      const user = { username: 'app', password: 'password', enableReadyCheck: false };
      const client = new Redis(server.url, user);
      closeLater(() => client.disconnect());
      const allow = () => admin.call('ACL', 'SETUSER', 'app', right);
      return { store: new RedisStore({ client, notify: true }), allow };
    }

    test.each([
      ['+subscribe', "run the 'subscribe' command"],
      ['&sess:destroyed', 'access one of the channels used as arguments'],
    ])('listen, for want of %s: is warned of once, with the remedy, and tried again', async (right, what) => {
      const { store, allow } = await storeWithout(right);
      const site = await startSite({ options: { store }, sockets: { checkInterval: HOUR } });
      await site.inRequest((req) => void Object.assign(req.session, { user: 'ada' }));
      const subscribe = jest.spyOn(store, 'onDestroy' as never);
      const client = await site.open();
      await eventually(() => (subscribe.mock.calls.length > 2 ? true : undefined));
      const told = [...warned];
      await allow();
      await store.destroy(idIn(site.cookie()));

      expect(await client.closed).toEqual(ENDED);
      const text = expect.stringContaining(`WARN_SESSION_STORE_NOTICES: ${DENIED}${what}${DEAF}`);
      expect(told).toEqual([text]);
    });

    test('publish: the session is destroyed, and a warning tells of it, once', async () => {
      const { store } = await storeWithout('+publish');
      await store.set('a', 'text', { expires: Date.now() + HOUR });
      await store.destroy('a');
      await store.destroy('b');

      expect(await store.get('a')).toBeUndefined();
      const what = "run the 'publish' command";
      const text = expect.stringContaining(`WARN_SESSION_STORE_NOTICES: ${DENIED}${what}${MUTE}`);
      expect(warned).toEqual([text]);
    });

    test('listen: who listens for errors is told, in place of the warning', async () => {
      const { store } = await storeWithout('+subscribe');
      const site = await startSite({ options: { store } });
      const told: unknown[] = [];
      site.sessions.on('error', ({ error }) => told.push(error));
      await site.inRequest((req) => void Object.assign(req.session, { user: 'ada' }));
      await site.open();
      await eventually(() => told[0]);

      expect(told).toEqual([expect.objectContaining({ code: 'ERR_SESSION_STORE_DENIED' })]);
      expect(warned).toEqual([]);
    });
  });
});

function idIn(cookie: string): string {
  return /=s:([^.]+)\./.exec(decodeURIComponent(cookie))![1]!;
}
