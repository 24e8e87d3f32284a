import { RedisStore } from 'connect-redis';
import { createClient } from 'redis';
import { fromConnectStore } from '../../lib/adapters/connect.js';
import { conformance } from '../../lib/conformance/index.js';
import { verdict } from '../conformance/run-kit.js';
import { describeWith, type RedisServer, startRedis } from '../support/servers.js';
import { CALLBACK_STORE } from './connect-kit.js';

describeWith('redis-server', 'connect-redis', () => {
  let server: RedisServer;
  let client: ReturnType<typeof createClient>;
  beforeAll(async () => {
    server = await startRedis();
    const socket = { reconnectStrategy: 20 };
    client = createClient({ url: server.url, disableOfflineQueue: true, socket });
    client.on('error', () => {});
    await client.connect();
  });
  afterAll(async () => {
    client.destroy();
    await server.stop();
  });
  const store = (prefix: string) => fromConnectStore(new RedisStore({ client, prefix }));

  describe('keeps the contract', () => {
    conformance({
      test: test.concurrent,
      ...CALLBACK_STORE,
      ttlGranularity: 1200, // whole seconds, which the server counts from when it gets the command
      store: () => store('sess:'),
      second: () => store('sess:'),
      separate: () => store('other:'),
    });
  });

  describe('what is stored is what express-session stores', () => {
    const browserSession =
      '{"cookie":{"originalMaxAge":null,"expires":null,"httpOnly":true,"path":"/"},"user":"alice"}';
    const inAnHour = Date.now() + 3_600_000;
    const lasting = JSON.stringify({
      cookie: { originalMaxAge: 3_600_000, expires: new Date(inAnHour), httpOnly: true, path: '/' },
      user: 'alice',
    });

    /** To the second: connect-redis rounds a life up, and Redis a time. */
    async function expectExpiry(key: string, expires: number) {
      const late = (await client.pExpireTime(key)) - expires;
      expect(late).toBeGreaterThan(-1000);
      expect(late).toBeLessThanOrEqual(1000);
    }

    test.each([
      ['a cookie that lasts until the browser is closed', browserSession],
      ['a cookie with an expiry', lasting],
    ])('with %s, also after a touch', async (_, text) => {
      await store('sess:').set('id', text, { expires: inAnHour });
      expect(await client.get('sess:id')).toBe(text);
      await expectExpiry('sess:id', inAnHour);

      await store('sess:').touch('id', inAnHour + 60_000);
      expect(await client.get('sess:id')).toBe(text);
      await expectExpiry('sess:id', inAnHour + 60_000);
    });

    test('what connect-redis has stored is read as it is', async () => {
      await client.set('sess:theirs', lasting);

      expect(await store('sess:').get('theirs')).toBe(lasting);
    });
  });

  test('in an outage it rejects, and it recovers', async () => {
    const error = await verdict(
      'outage: without its back end the store rejects or is right, and it recovers',
      {
        ...CALLBACK_STORE,
        store: () => store('sess:'),
        async interrupt() {
          await server.kill();
          return () => server.restart();
        },
      },
    );

    expect(error).toBe(undefined);
  });
});
