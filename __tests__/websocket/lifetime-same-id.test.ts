import { RedisStore } from '../../lib/stores/redis.js';
import { eventually } from '../support/async.js';
import { movingClock } from '../support/moving-clock.js';
import { redisClient } from '../support/redis-client.js';
import { describeWith } from '../support/servers.js';
import { closeAll, type SiteOptions, say, startSite, turns } from './support.js';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

afterEach(closeAll);
const clock = movingClock();

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
    clock.advance(5 * MINUTE);
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
  const redis = redisClient();

  test.each(['here', 'elsewhere'] as const)('finds it after a login under the same id, %s', async (where) => {
    const admin = redis();
    const options = { store: new RedisStore({ client: admin }), owner: 'user' };
    const { site, client, heard } = await loggedInSince(where, options);
    await admin.del('owner:sess:ada'); // as it lapses once the HTTP requests are long past
    await heard();
    await eventually(async () => ((await admin.zCard('owner:sess:ada')) === 1 ? true : undefined));

    expect(await site.sessions.revoke('ada')).toBe(1);
    expect(await client.closed).toEqual([1008, 'session revoked']);
  });
});
