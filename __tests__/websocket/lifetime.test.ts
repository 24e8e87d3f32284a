import { RedisStore } from '../../lib/stores/redis.js';
import { eventually } from '../support/async.js';
import { gate } from '../support/http.js';
import { movingClock } from '../support/moving-clock.js';
import { redisClient } from '../support/redis-client.js';
import { describeWith } from '../support/servers.js';
import { RecordingStore } from './recording-store.js';
import { closeAll, type SiteOptions, say, startSite, turns } from './support.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

afterEach(closeAll);
const clock = movingClock();

/** A site whose user has a session and one socket. */
async function connected(how: SiteOptions = {}) {
  const site = await startSite(how);
  await site.inRequest((req) => void Object.assign(req.session, { user: 'ada' }));
  const client = await site.open();
  const { req } = site.opened[0]!;
  site.store.calls.length = 0;
  const heard = async (later: number) => {
    clock.advance(later);
    await say(site, client);
    await turns();
  };
  return { site, client, req, heard, left: () => [...site.store.records.values()][0]!.expires - Date.now() };
}

const keepAll = async (req: any) => void (await req.session.regenerate({ keep: true }));
const restart = async (req: any) => void (await req.session.regenerate({ keep: true, restart: true }));

test('a socket is closed when its session ends that a request has prolonged', async () => {
  const options = { cookie: {}, ttl: 400, touchAfter: 0 };
  const { site, client } = await connected({ options, sockets: { checkInterval: HOUR } });
  await site.inRequest((req) => {
    req.session.cookie.maxAge = 1000; // by the socket's own request it would have ended before
  });
  expect(await client.closed).toEqual([1008, 'session ended']);
});

describe('a message over a socket whose session has been regenerated', () => {
  const options = { ttl: 2 * HOUR, absoluteTimeout: HOUR };

  test('does not take the session back to its former absolute end', async () => {
    const { site, client, req, heard, left } = await connected({ options });
    clock.advance(50 * MINUTE);
    await site.inRequest(restart);
    await heard(5 * MINUTE);
    expect(left()).toBeGreaterThan(54 * MINUTE);
    await heard(20 * MINUTE); // the former end is past
    await req.session.update((data: any) => Object.assign(data, { moves: 1 }));

    expect(left()).toBeGreaterThan(34 * MINUTE);
    expect(left()).toBeLessThanOrEqual(35 * MINUTE);
    expect(site.store.data()).toEqual([{ user: 'ada', moves: 1 }]);
    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });

  test('prolongs it to the same absolute end if that was kept', async () => {
    const { site, heard, left } = await connected({ options });
    clock.advance(50 * MINUTE);
    await site.inRequest(keepAll);
    await heard(5 * MINUTE);

    expect(left()).toBeLessThanOrEqual(5 * MINUTE);
  });

  test('gives it the idle time that it has now', async () => {
    const { site, heard, left } = await connected({ options: { cookie: { maxAge: 10 * MINUTE } } });
    await site.inRequest(async (req: any) => {
      await keepAll(req);
      req.session.cookie.maxAge = 30 * DAY;
    });
    await heard(5 * MINUTE);
    expect(left()).toBeGreaterThan(29 * DAY);
    await heard(5 * MINUTE);

    expect(left()).toBeGreaterThan(30 * DAY - MINUTE);
  });

  test('leaves a lifetime that the socket itself has set, and has yet to store', async () => {
    const { site, req, heard, left } = await connected({ options: { cookie: { maxAge: 10 * MINUTE } } });
    await site.inRequest(keepAll);
    req.session.cookie.maxAge = HOUR;
    await heard(5 * MINUTE);
    expect(left()).toBeGreaterThan(59 * MINUTE);
    await req.session.save();

    expect(JSON.parse([...site.store.records.values()][0]!.text).cookie.originalMaxAge).toBe(HOUR);
  });

  test('overwrites nothing, and a save after it merges', async () => {
    const { site, req, heard } = await connected();
    await site.inRequest(keepAll);
    await site.inRequest((request) => void Object.assign(request.session, { color: 'red' }));
    req.session.moves = 1;
    await heard(5 * MINUTE);
    expect(site.store.data()).toEqual([{ user: 'ada', color: 'red' }]);
    await req.session.save();

    expect(site.store.data()).toEqual([{ user: 'ada', color: 'red', moves: 1 }]);
  });

  test('closes the socket if another process has ended the session', async () => {
    const { site, client, heard } = await connected();
    await site.inRequest(keepAll);
    site.store.records.clear();
    site.store.calls.length = 0;
    await heard(5 * MINUTE);

    expect(await client.closed).toEqual([1008, 'session ended']);
    expect(site.store.calls).toEqual(['get']);
  });

  test('is at home in the newest one, if the session is regenerated again while it is read', async () => {
    const { site, client, heard, left } = await connected({ options });
    clock.advance(50 * MINUTE);
    await site.inRequest(keepAll);
    const answered = gate();
    const { get } = site.store;
    site.store.get = async (id) => {
      site.store.get = get; // the others are answered at once
      const text = await site.store.get(id);
      await answered.opened;
      return text;
    };
    await heard(5 * MINUTE);
    await site.inRequest(restart);
    site.store.calls.length = 0;
    answered.open();
    await eventually(() => (site.store.count('touch') > 0 ? true : undefined));

    expect(left()).toBeGreaterThan(59 * MINUTE);
    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });

  test.each<[string, (session: any) => unknown]>([
    ['destroy()', (session) => session.destroy()],
    ['clear()', (session) => session.clear()],
  ])('prolongs nothing if %s comes while it is read', async (_, act) => {
    const { site, client, req, heard } = await connected();
    await site.inRequest(keepAll);
    const answered = gate();
    const { get } = site.store;
    site.store.get = async (id) => {
      const text = await get.call(site.store, id);
      await answered.opened;
      return text;
    };
    await heard(5 * MINUTE);
    site.store.calls.length = 0;
    act(req.session);
    expect(await client.closed).toEqual([1008, 'session ended']);
    answered.open();
    await turns();

    expect(site.store.calls).toEqual(['destroy']);
    expect(site.store.records.size).toBe(0);
  });

  test('whose socket can not read it is reported, and the socket stays', async () => {
    const { site, client, heard } = await connected();
    const told: unknown[] = [];
    site.sessions.on('error', ({ error }) => told.push(error));
    await site.inRequest(keepAll);
    site.store.failure = new Error('down');
    await heard(5 * MINUTE);

    expect(told).toEqual([site.store.failure]);
    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });
});

describe('a message over a socket ends no process', () => {
  test('by the option touch that throws: it is reported, and the next message prolongs the session', async () => {
    let failure: Error | undefined;
    const touch = () => {
      if (failure) throw failure;
      return true;
    };
    const { site, client, heard } = await connected({ options: { touch } });
    const told: unknown[] = [];
    site.sessions.on('error', ({ error }) => told.push(error));
    const thrown = new Error('of the app');
    failure = thrown;
    await heard(5 * MINUTE);
    expect(told).toEqual([thrown]);
    expect(site.store.calls).toEqual([]);
    failure = undefined;
    await heard(5 * MINUTE);

    expect(site.store.count('touch')).toBe(1);
    expect(told).toEqual([thrown]);
    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });

  test.each<[string, (session: any) => unknown]>([
    ['a circle', (session) => session],
    ['a BigInt', () => 1n],
  ])('by %s in the data, which can not be stored; the session is prolonged', async (_, make) => {
    const { site, req, heard, left } = await connected({ options: { cookie: { maxAge: 10 * MINUTE } } });
    const told: unknown[] = [];
    site.sessions.on('error', ({ error }) => told.push(error));
    req.session.x = make(req.session);
    await heard(5 * MINUTE);

    expect(site.store.count('touch')).toBe(1);
    expect(left()).toBeGreaterThan(9 * MINUTE);
    expect(told).toEqual([]);
    delete req.session.x;
  });
});

class TouchedStore extends RecordingStore {
  readonly touchedUntil: number[] = [];

  override touch(_id: string, data: any, callback: () => void): void {
    this.touchedUntil.push(new Date(data.cookie.expires).getTime());
    setImmediate(callback);
  }
}

test("with express-session's kind of store, a message does not shorten what a login has set", async () => {
  const store = new TouchedStore();
  const options = { store, concurrency: 'overwrite', cookie: { maxAge: 10 * MINUTE } } as const;
  const { site, heard } = await connected({ options });
  await site.inRequest((req: any) => {
    req.session.cookie.maxAge = 30 * DAY;
    req.session.remember = true;
  });
  store.touchedUntil.length = 0;
  await heard(5 * MINUTE);
  await eventually(() => store.touchedUntil[0]);

  expect(store.touchedUntil[0]! - Date.now()).toBeGreaterThan(29 * DAY);
});

test('a clock that is set back stops no message from prolonging the session', async () => {
  const { site, heard } = await connected();
  await heard(-HOUR);
  expect(site.store.count('touch')).toBe(1);
  await heard(0);

  expect(site.store.count('touch')).toBe(1); // still once a second at most
});

describeWith('redis-server', 'revoke(user) of a session that only a socket keeps alive', () => {
  const redis = redisClient();

  test('finds it after regenerate({ keep: true })', async () => {
    const admin = redis();
    const options = { store: new RedisStore({ client: admin }), owner: 'user' };
    const { site, client, heard } = await connected({ options });
    await site.inRequest(keepAll);
    await admin.del('owner:sess:ada'); // as it lapses once the HTTP requests are long past
    await heard(5 * MINUTE);
    await eventually(async () => ((await admin.zCard('owner:sess:ada')) === 1 ? true : undefined));

    expect(await site.sessions.revoke('ada')).toBe(1);
    expect(await client.closed).toEqual([1008, 'session revoked']);
  });
});
