import { createHash } from 'node:crypto';
import { unsign } from '../../lib/cookies/signature.js';
import session from '../../lib/index.js';
import { Browser, gate } from '../support/http.js';
import { baseOptions, begin, type Fixture, type Setup, start } from '../support/lifecycle.js';
import { closeSites, type Handler, serve } from '../support/sites.js';
import { GATED_STORES, STORES } from '../support/test-stores.js';
import { stopClock } from './clock.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const options: session.SessionOptions = {
  concurrency: 'merge',
  rotateAfter: HOUR,
  rotateGrace: MINUTE,
  cookie: { maxAge: 5 * HOUR },
};

let clock: ReturnType<typeof stopClock>;
beforeEach(() => {
  clock = stopClock();
});
afterEach(async () => {
  jest.useRealTimers();
  await closeSites();
});

const pages: Handler = async (req, res) => {
  const { pathname, searchParams } = new URL(req.url, 'http://localhost');
  if (pathname === '/set') req.session[searchParams.get('key')!] = true;
  if (pathname === '/logout') await req.session.destroy();
  if (pathname === '/clear') req.session.clear();
  if (pathname === '/stream') res.write(' ');
  if (pathname === '/update') await req.session.update((data: any) => (data.n = (data.n ?? 0) + 1));
  const { cookie, ...data } = req.session ?? {};
  res.end(JSON.stringify(pathname === '/cookie' ? { ...cookie } : data));
};

interface Opened extends Fixture {
  events: [string, string][];
}

async function open(store: Setup['store'], more: session.SessionOptions = {}): Promise<Opened> {
  const fixture = await start({ host: 'node:http', store, options: { ...options, ...more }, after: [pages] });
  const events: [string, string][] = [];
  for (const name of ['rotate', 'reuse', 'interrupted'] as const) {
    fixture.sessions.on(name, (event) => events.push([name, event.session]));
  }
  await fixture.browser.get('/begin');
  await fixture.settled();
  return { ...fixture, events };
}

const ask = async (browser: Browser, path: string, headers?: Record<string, string>): Promise<unknown> =>
  JSON.parse((await browser.get(path, headers ? { headers } : {})).body);

/** A client that knows one cookie only, and takes no other. */
function holder({ site, browser }: Fixture): (path: string) => Promise<unknown> {
  const cookie = browser.cookieHeader('/');
  return async (path) => ask(new Browser(site), path, { cookie });
}

function idOf({ browser }: Fixture): string {
  const value = decodeURIComponent(browser.cookie('connect.sid') as string);
  return unsign(value.slice(2), ['keyboard cat'])!.value;
}

test('an id whose cookie would be withheld is not replaced: the browser would go on with the old one', async () => {
  const secure = { cookie: { maxAge: 5 * HOUR, secure: true }, proxy: true };
  const https = { 'x-forwarded-proto': 'https' };
  const fixture = await start({
    host: 'node:http',
    store: 'text store',
    options: { ...options, ...secure },
    after: [pages],
  });
  const rotated: unknown[] = [];
  fixture.sessions.on('rotate', (event) => rotated.push(event));
  const [pair = ''] = (await fixture.browser.get('/set?key=a', { headers: https })).setCookie[0]!.split(';');
  const asked = async (headers: Record<string, string>) =>
    new Browser(fixture.site).get('/look', { headers: { ...headers, cookie: pair } });
  clock.pass(HOUR);
  expect(await asked({})).toMatchObject({ setCookie: [], body: '{"a":true}' });
  expect(rotated).toEqual([]);
  clock.pass(2 * MINUTE);
  const { setCookie, body } = await asked(https);

  expect([setCookie.length, body, rotated.length]).toEqual([1, '{"a":true}', 1]);
});

/** Data of stored sessions that are not mere pointers. */
function stored({ data }: Fixture): Record<string, unknown>[] {
  return Object.values(data()).filter((each) => Object.keys(each).length > 0);
}

test('what a record tells of its rotation is no change of anybody’s, and goes with the next write', async () => {
  const fixture = await open('text store');
  const { browser, sessions, traffic, settled } = fixture;
  clock.pass(HOUR);
  await browser.get('/look');
  await settled();
  const read = () => (fixture.store as session.SessionStore).get(idOf(fixture));
  expect(await read()).toContain('rotatedFrom');
  expect(await ask(browser, '/cookie')).not.toHaveProperty('rotatedFrom');
  const conflicts: unknown[] = [];
  sessions.on('conflict', ({ keys }) => conflicts.push(keys));
  const held = traffic.hold('set');
  const slow = browser.get('/set?key=user');
  await held.reached;
  await browser.get('/set?key=b');
  held.open();
  await slow;
  await settled();

  expect(stored(fixture)).toEqual([{ user: true, b: true }]);
  expect(conflicts).toEqual([['b']]);
  expect(await read()).not.toContain('rotatedFrom');
});

test('a change after the response that has rotated the id takes one write, and keeps nothing of what tells of that', async () => {
  const late: Handler = (req, res) => {
    res.once('finish', () => {
      req.session.late = true;
    });
    res.end();
  };
  const fixture = await start({ host: 'node:http', store: 'text store', options, after: [late] });
  const { browser, traffic } = fixture;
  await begin(fixture);
  clock.pass(HOUR);
  await browser.get('/late');
  await fixture.settled();

  expect(stored(fixture)).toEqual([{ user: 'ada', late: true }]);
  expect(traffic.count('set')).toBe(3); // the new id, the pointer, the change
  expect(await (fixture.store as session.SessionStore).get(idOf(fixture))).not.toContain('rotatedFrom');
});

describe('regenerate({ keep }) of a session whose id another request has rotated meanwhile', () => {
  const open = async () => {
    const [loaded, goOn] = [gate(), gate()];
    const renew: Handler = async (req, res, next) => {
      if (req.url !== '/renew') return pages(req, res, next);
      loaded.open();
      await goOn.opened;
      await req.session.regenerate({ keep: true });
      return res.end();
    };
    const fixture = await start({ host: 'node:http', store: 'text store', options, after: [renew] });
    const interrupted = jest.fn();
    fixture.sessions.on('interrupted', ({ keys }) => interrupted(keys));
    await begin(fixture);
    clock.pass(HOUR);
    const cookie = fixture.browser.cookieHeader('/');
    const renewed = new Browser(fixture.site).get('/renew', { headers: { cookie } });
    await loaded.opened;
    const finish = async () => {
      goOn.open();
      await renewed;
    };
    return { ...fixture, fixture, finish, interrupted };
  };

  test('takes along what is stored under the id that it has by then, and ends it', async () => {
    const { fixture, browser, settled, finish, interrupted } = await open();
    await browser.get('/set?key=a');
    await finish();
    await settled();

    expect(stored(fixture)).toEqual([{ user: 'ada', a: true }]);
    expect(interrupted).not.toHaveBeenCalled();
  });

  test('takes nothing along, and tells of it, where that is just being destroyed', async () => {
    const { fixture, browser, traffic, settled, finish, interrupted } = await open();
    const held = traffic.hold('destroy');
    const left = browser.get('/logout');
    await held.reached;
    await finish();
    held.open();
    await left;
    await settled();

    expect(stored(fixture)).toEqual([]);
    expect(interrupted.mock.calls).toEqual([[['user']]]);
  });
});

describe.each(STORES)('%s', (store) => {
  test('an id that has served long enough is replaced, with its cookie; not before, and not again', async () => {
    const fixture = await open(store);
    const { browser, events, settled } = fixture;
    const old = idOf(fixture);
    clock.pass(HOUR - 1);
    expect((await browser.get('/look')).setCookie).toEqual([]);
    await settled();
    clock.pass(1);
    const answer = await browser.get('/look');
    expect(answer.setCookie).toEqual([expect.stringMatching(/^connect\.sid=s%3A/)]);
    expect(JSON.parse(answer.body)).toEqual({ user: 'ada' });
    expect(idOf(fixture)).not.toBe(old);
    expect(events.map(([name]) => name)).toEqual(['rotate']);
    await settled();
    expect((await browser.get('/look')).setCookie).toEqual([]);
    expect(await ask(browser, '/look')).toEqual({ user: 'ada' });
    expect(stored(fixture)).toEqual([{ user: 'ada' }]);
  });

  test('what the rotating request changes is stored under the new id', async () => {
    const { browser, settled } = await open(store);
    clock.pass(HOUR);
    await browser.get('/set?key=a');
    await settled();
    expect(await ask(browser, '/look')).toEqual({ user: 'ada', a: true });
  });

  test('the old id serves the same session within the grace: its user is told the new one, its changes are kept', async () => {
    const fixture = await open(store);
    const { browser, settled } = fixture;
    const other = new Browser(fixture.site);
    const headers = { cookie: browser.cookieHeader('/') };
    clock.pass(HOUR);
    await browser.get('/look');
    await settled();
    clock.pass(MINUTE);
    const answer = await other.get('/set?key=late', { headers });
    await settled();
    expect(answer.setCookie).toHaveLength(1);
    expect(other.cookie('connect.sid')).toBe(browser.cookie('connect.sid'));
    expect(await ask(browser, '/look')).toEqual({ user: 'ada', late: true });
  });

  test('parallel requests with the old id: one rotation, and no change is lost', async () => {
    const fixture = await open(store);
    const { browser, settled } = fixture;
    const old = holder(fixture);
    clock.pass(HOUR);
    const keys = ['a', 'b', 'c', 'd', 'e', 'f'];
    await Promise.all([...keys.map((key) => old(`/set?key=${key}`)), old('/update'), old('/update')]);
    await settled();
    await browser.get('/look');
    await settled();
    const all = Object.fromEntries(keys.map((key) => [key, true]));
    expect(await ask(browser, '/look')).toEqual({ user: 'ada', ...all, n: 2 });
    expect(stored(fixture)).toHaveLength(1);
    expect(fixture.events.filter(([name]) => name === 'rotate')).toHaveLength(1);
  });

  test('after the grace the old id is refused and reported; the session goes on', async () => {
    const fixture = await open(store);
    const { browser, events, settled } = fixture;
    const thief = holder(fixture);
    clock.pass(HOUR);
    await browser.get('/look');
    await settled();
    clock.pass(MINUTE + 1);
    expect(await thief('/look')).toEqual({});
    expect(events.map(([name]) => name)).toEqual(['rotate', 'reuse']);
    expect(events[0]?.[1]).toBe(events[1]?.[1]);
    expect(await ask(browser, '/look')).toEqual({ user: 'ada' });
  });

  test("onReuse: 'revoke' ends the session, whatever its id is by now", async () => {
    const fixture = await open(store, { onReuse: 'revoke' });
    const { browser, events, settled } = fixture;
    const thief = holder(fixture);
    const ended: string[] = [];
    fixture.sessions.on('destroy', (event) => ended.push(event.session));
    for (let round = 0; round < 3; round++) {
      clock.pass(HOUR);
      await browser.get('/look');
      await settled();
    }
    const present = createHash('sha256').update(idOf(fixture)).digest('hex').slice(0, 12);
    expect(await thief('/look')).toEqual({});
    expect(events.map(([name]) => name)).toEqual(['rotate', 'rotate', 'rotate', 'reuse']);
    expect(ended).toEqual([present]);
    expect(await thief('/look')).toEqual({});
    expect(ended).toEqual([present]);
    expect(await ask(browser, '/look')).toEqual({});
    await settled();
    expect(stored(fixture)).toEqual([]);
  });

  test("onReuse: 'revoke' spares the session of a browser that has its present cookie beside the old one", async () => {
    const fixture = await open(store, { onReuse: 'revoke' });
    const { browser, events, settled, site } = fixture;
    const old = browser.cookieHeader('/');
    for (let round = 0; round < 2; round++) {
      clock.pass(HOUR);
      await browser.get('/look');
      await settled();
    }
    const cookie = `${old}; ${browser.cookieHeader('/')}`;
    expect(await ask(new Browser(site), '/look', { cookie })).toEqual({ user: 'ada' });
    expect(events.map(([name]) => name)).toEqual(['rotate', 'rotate']);
  });

  test('requests that leave the store alone rotate too, but for those that may not prolong the session', async () => {
    const fixture = await open(store, { touchAfter: 2 * HOUR, touch: (req) => req.url !== '/poll' });
    const { browser, events, settled } = fixture;
    clock.pass(HOUR);
    await browser.get('/poll');
    await settled();
    expect(events).toEqual([]);
    expect((await browser.get('/look')).setCookie).toHaveLength(1);
    await settled();
    expect(events.map(([name]) => name)).toEqual(['rotate']);
    expect(await ask(browser, '/look')).toEqual({ user: 'ada' });
  });

  test.each(['/logout', '/clear'])(
    '%s with the old id ends the session, and so does the new id',
    async (path) => {
      for (const withOld of [true, false]) {
        const fixture = await open(store);
        const { browser, settled } = fixture;
        const old = holder(fixture);
        clock.pass(HOUR);
        await browser.get('/look');
        await settled();
        const current = holder(fixture);
        await (withOld ? old : current)(path);
        await settled();
        expect(await old('/look')).toEqual({});
        expect(await current('/look')).toEqual({});
        expect(stored(fixture)).toEqual([]);
      }
    },
  );

  test('two cookies, the first of a rotated session that is gone: the second one’s session keeps its own id', async () => {
    const fixture = await open(store);
    const { browser, site, settled } = fixture;
    const gone = browser.cookieHeader('/');
    clock.pass(HOUR);
    await browser.get('/look');
    await settled();
    const target = idOf(fixture);
    await (fixture.store as any).destroy(target, () => {});
    await settled();
    const other = new Browser(site);
    await other.get('/begin');
    const before = other.cookie('connect.sid');
    const headers = { cookie: `${gone}; ${other.cookieHeader('/')}` };
    expect(await ask(other, '/set?key=mine', headers)).toEqual({ user: 'ada', mine: true });
    await settled();
    expect(other.cookie('connect.sid')).toBe(before);
    expect(await ask(other, '/look')).toEqual({ user: 'ada', mine: true });
    expect(Object.keys(fixture.data())).not.toContain(target);
  });

  test('a request whose headers have left does not rotate: the browser could not be told', async () => {
    const { browser, data } = await open(store);
    const ids = Object.keys(data());
    clock.pass(HOUR);

    expect(await ask(browser, '/stream')).toEqual({ user: 'ada' });
    expect(Object.keys(data())).toEqual(ids);
  });

  test('a request that does not touch does not rotate', async () => {
    const { browser, events } = await open(store, { touch: (req) => req.url !== '/poll' });
    clock.pass(HOUR);
    expect((await browser.get('/poll')).setCookie).toEqual([]);
    expect(events).toEqual([]);
  });

  test('pointers that lead round in a circle lead to a fresh session', async () => {
    const fixture = await open(store);
    const { browser } = fixture;
    const id = idOf(fixture);
    const pointer = { cookie: { originalMaxAge: null, expires: null, movedTo: id, movedAt: clock.now() } };
    await put(fixture, id, pointer);
    expect(await ask(browser, '/look')).toEqual({});
    expect(await ask(browser, '/logout')).toEqual({});
  });
});

describe.each(GATED_STORES)('%s: an id that was rotated away many times ago', (store) => {
  const TIMES = 12;

  /** @returns the cookie that the session had before all these rotations */
  async function rotated({ browser, settled }: Fixture, times = TIMES): Promise<string> {
    const cookie = browser.cookieHeader('/');
    for (let round = 0; round < times; round++) {
      clock.pass(HOUR);
      await browser.get('/look');
      await settled();
    }
    return cookie;
  }

  const lasting: session.SessionOptions = { cookie: { maxAge: 100 * HOUR } };

  test('costs one who has another cookie too a read for each rotation once, and few from then on', async () => {
    const fixture = await open(store, lasting);
    const { site, traffic, settled, events } = fixture;
    const old = await rotated(fixture);
    const other = new Browser(site);
    await other.get('/begin');
    await other.get('/set?key=mine');
    await settled();
    const headers = { cookie: `${old}; ${other.cookieHeader('/')}` };
    const reads: number[] = [];
    for (let round = 0; round < 2; round++) {
      traffic.calls.length = 0;
      expect(await ask(new Browser(site), '/look', headers)).toEqual({ user: 'ada', mine: true });
      await settled();
      reads.push(traffic.count('get'));
    }

    expect(reads[0]).toBeGreaterThan(TIMES);
    expect(reads[1]).toBeLessThan(5);
    expect(events.filter(([name]) => name === 'reuse')).toHaveLength(2);
  });

  test('is refused and reported also when it has just been found to lead to the present one', async () => {
    const fixture = await open(store, lasting);
    const { browser, site, settled, events } = fixture;
    const thief = holder(fixture);
    const old = await rotated(fixture);
    events.length = 0;
    const headers = { cookie: `${old}; ${browser.cookieHeader('/')}` };
    expect(await ask(new Browser(site), '/look', headers)).toEqual({ user: 'ada' });
    await settled();
    expect(events).toEqual([]);

    expect(await thief('/look')).toEqual({}); // the grace has not begun anew
    expect(events.map(([name]) => name)).toEqual(['reuse']);
    expect(await ask(browser, '/look')).toEqual({ user: 'ada' });
  });

  test("with onReuse: 'revoke' it ends the session also then, and after more rotations", async () => {
    for (const more of [0, 2]) {
      const fixture = await open(store, { ...lasting, onReuse: 'revoke' });
      const { browser, site, settled } = fixture;
      const thief = holder(fixture);
      const headers = { cookie: `${await rotated(fixture)}; ${browser.cookieHeader('/')}` };
      expect(await ask(new Browser(site), '/look', headers)).toEqual({ user: 'ada' });
      await settled();
      await rotated(fixture, more);
      expect(await thief('/look')).toEqual({});
      expect(await ask(browser, '/look')).toEqual({});
      await settled();
      expect(stored(fixture)).toEqual([]);
    }
  });
});

async function put({ store }: Fixture, id: string, record: object): Promise<void> {
  if (store instanceof session.MemoryStore || !('createSession' in store)) {
    await (store as session.SessionStore).set(id, JSON.stringify(record), { expires: Date.now() + HOUR });
  } else {
    await new Promise((resolve) => (store as any).set(id, record, resolve));
  }
}

describe('a pointer that is made to lead to the present id', () => {
  /** A session that was rotated so often, and what a store that notes each expiry has of the first id. */
  async function rotated(maxAge: number, rotations: number, keptFor = 0) {
    const { texts } = new session.MemoryStore();
    const lasts = new Map<string, number>();
    const store: session.SessionStore = {
      get: (id) => texts.get(id),
      set: (id, text, how) => {
        lasts.set(id, how.expires);
        const expires = how.expires > Date.now() ? how.expires + keptFor : how.expires;
        return texts.set(id, text, { ...how, expires });
      },
      touch: (id, expires) => texts.touch(id, expires + keptFor),
      destroy: (id) => texts.destroy(id),
    };
    const options = { rotateAfter: maxAge / 10, rotateGrace: 1, cookie: { maxAge } };
    const handler = session({ ...baseOptions, store, ...options });
    const page: Handler = (req, res) => {
      req.session.user = 'ada';
      res.end(req.sessionID);
    };
    const site = await serve('node:http', [handler, page]);
    const browser = new Browser(site);
    const { body: first } = await browser.get('/');
    const old = browser.cookieHeader('/');
    for (let round = 0; round < rotations; round++) {
      clock.pass(maxAge / 5);
      await browser.get('/');
    }
    const look = async () => ({ until: lasts.get(first), text: await texts.get(first) });
    const before = await look();
    await new Browser(site).get('/', { headers: { cookie: `${old}; ${browser.cookieHeader('/')}` } });
    return { before, after: await look() };
  }

  test.each([HOUR / 6, 1000 * HOUR])('lasts as long as before; maxAge: %i', async (maxAge) => {
    const { before, after } = await rotated(maxAge, 3);
    expect(after.text).not.toBe(before.text);
    expect(after.until).toBe(before.until);
  });

  test('is left as it is if the store has it longer than it should', async () => {
    const { before, after } = await rotated(HOUR, 10, 1000 * HOUR);
    expect(before.until).toBeLessThan(Date.now());
    expect(after).toEqual(before);
    expect(after.text).toBeDefined();
  });
});

describe.each(GATED_STORES)('%s: interleavings', (store) => {
  // Whatever the store is doing when the others come in between, the logout stays one.
  test.each(['get', 'set'] as const)(
    'a rotation that waits in its %s while the session is destroyed',
    async (operation) => {
      for (let skip = 0; skip < 4; skip++) {
        const fixture = await open(store);
        const { browser, traffic, settled } = fixture;
        const old = holder(fixture);
        clock.pass(HOUR);
        const waiting = nth(fixture, operation, skip);
        const rotating = browser.get('/set?key=rotated');
        await Promise.race([waiting.reached, rotating]);
        const logout = old('/logout');
        await Promise.race([logout, new Promise((resolve) => setTimeout(resolve, 100))]);
        waiting.open();
        await Promise.all([rotating, logout]);
        await settled();
        await traffic.idle();
        // A request that had not loaded the session yet has begun one of its own.
        expect([{}, { rotated: true }]).toContainEqual(await ask(browser, '/look'));
        expect(await old('/look')).toEqual({});
        expect(stored(fixture).filter((data) => 'user' in data)).toEqual([]);
        await closeSites();
      }
    },
  );

  test.each(['get', 'set'] as const)(
    'a rotation that waits in its %s while another request changes the session',
    async (operation) => {
      for (let skip = 0; skip < 4; skip++) {
        const fixture = await open(store);
        const { browser, settled } = fixture;
        const old = holder(fixture);
        clock.pass(HOUR - 1);
        const early = nth(fixture, 'get', 0); // it has begun before the rotation was due
        const changing = old('/set?key=changed');
        await early.reached;
        clock.pass(1);
        const waiting = nth(fixture, operation, skip);
        const rotating = browser.get('/set?key=rotated');
        await Promise.race([waiting.reached, rotating]);
        early.open();
        await Promise.race([changing, new Promise((resolve) => setTimeout(resolve, 100))]);
        waiting.open();
        await Promise.all([rotating, changing]);
        await settled();
        await browser.get('/look');
        await settled();
        expect(await ask(browser, '/look')).toEqual({ user: 'ada', changed: true, rotated: true });
        expect(stored(fixture)).toHaveLength(1);
        await closeSites();
      }
    },
  );
});

/** Keeps the call of an operation waiting that comes after `skip` others. */
function nth({ traffic }: Fixture, operation: 'get' | 'set', skip: number) {
  for (let n = 0; n < skip; n++) traffic.hold(operation).open();
  return traffic.hold(operation);
}

test('overwriting would lose what happens meanwhile, so rotation refuses it', () => {
  expect(() => session({ ...baseOptions, ...options, concurrency: 'overwrite' })).toThrow(
    "'merge' for rotateAfter to be safe",
  );
});
