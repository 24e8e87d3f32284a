import { createClient } from 'redis';
import { RedisStore } from '../../lib/stores/redis.js';
import { eventually } from '../support/async.js';
import { describeWith, type RedisServer, startRedis } from '../support/servers.js';
import { closeAll, type SiteOptions, say, startSite, turns } from './support.js';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** By how much the clock is ahead of the time that passes. */
let ahead = 0;

beforeEach(() => {
  const now = Date.now;
  ahead = 0;
  jest.spyOn(Date, 'now').mockImplementation(() => now() + ahead);
});
afterEach(async () => {
  await closeAll();
  jest.restoreAllMocks();
});

/** A visitor with a socket, who then logs in under the same id, in this process or in another one. */
async function loggedInSince(where: 'here' | 'elsewhere', options: NonNullable<SiteOptions['options']>) {
  const site = await startSite({ options });
  await site.inRequest((req) => void Object.assign(req.session, { visit: 1 }));
  const client = await site.open();
  const other = where === 'here' ? site : await startSite({ store: site.store, options });
  const login = (req: any) => {
    req.session.user = 'ada';
    req.session.cookie.maxAge = 30 * DAY;
  };
  await other.inRequest(login, site.cookie());
  const heard = async () => {
    ahead += 5 * MINUTE;
    await say(site, client);
    await turns();
  };
  return { site, client, heard };
}

describe.each(['here', 'elsewhere'] as const)('after a login in HTTP, %s', (where) => {
  test('a message prolongs the session to the lifetime that it has now', async () => {
    const { site, heard } = await loggedInSince(where, { cookie: { maxAge: 10 * MINUTE } });
    const left = () => [...site.store.records.values()][0]!.expires - Date.now();
    await heard();
    await heard();
    expect(left()).toBeGreaterThan(30 * DAY - MINUTE);
    await site.opened[0]!.req.session.update((data: any) => Object.assign(data, { moves: 1 }));

    expect(left()).toBeGreaterThan(30 * DAY - MINUTE);
    expect(site.store.data()).toEqual([{ visit: 1, user: 'ada', moves: 1 }]);
  });
});

describeWith('redis-server', 'revoke(user) of a session that only a socket keeps alive', () => {
  let redis: RedisServer;
  let admin: ReturnType<typeof createClient>;
  beforeAll(async () => {
    redis = await startRedis();
    admin = createClient({ url: redis.url });
    await admin.connect();
  });
  afterAll(async () => {
    admin.destroy();
    await redis.stop();
  });

  test.each(['here', 'elsewhere'] as const)('finds it after a login under the same id, %s', async (where) => {
    const options = { store: new RedisStore({ client: admin }), owner: 'user' };
    const { site, client, heard } = await loggedInSince(where, options);
    await admin.del('owner:sess:ada'); // as it lapses once the HTTP requests are long past
    await heard();
    await eventually(async () => ((await admin.zCard('owner:sess:ada')) === 1 ? true : undefined));

    expect(await site.sessions.revoke('ada')).toBe(1);
    expect(await client.closed).toEqual([1008, 'session revoked']);
  });
});
