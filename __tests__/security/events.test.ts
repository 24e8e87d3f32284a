import { createHash } from 'node:crypto';
import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel';
import type session from '../../lib/index.js';
import { Browser, type Gate, gate } from '../support/http.js';
import { begin, type Fixture, type Setup, start } from '../support/lifecycle.js';
import { closeSites, type Handler } from '../support/sites.js';
import { GATED_STORES, STORES } from '../support/test-stores.js';
import { stopClock } from './clock.js';

const HOUR = 3_600_000;
const NAMES = [
  ...(['create', 'load', 'save', 'touch', 'destroy', 'expire'] as const),
  ...(['rotate', 'reuse', 'conflict', 'interrupted', 'error'] as const),
];

afterEach(async () => {
  jest.useRealTimers();
  await closeSites();
});

const count = (data: { n?: number }): void => {
  data.n = (data.n ?? 0) + 1;
};

const pages: Handler = async (req, res) => {
  if (req.url === '/change') req.session.n = (req.session.n ?? 0) + 1;
  if (req.url === '/update') await req.session.update(count);
  if (req.url === '/take') await req.session.take('n');
  if (req.url === '/logout') await req.session.destroy();
  res.end(req.sessionID);
};

interface Watched extends Fixture {
  events: [string, session.SessionEvent][];
  names(): string[];
}

async function open(
  store: Setup['store'],
  options: session.SessionOptions = {},
  app: Handler = pages,
): Promise<Watched> {
  const fixture = await start({
    host: 'node:http',
    store,
    options: { concurrency: 'merge', ...options },
    after: [app],
  });
  const events: Watched['events'] = [];
  for (const name of NAMES) fixture.sessions.on(name, (event) => events.push([name, event]));
  return { ...fixture, events, names: () => events.splice(0).map(([name]) => name) };
}

const hashOf = (id: string) => createHash('sha256').update(id).digest('hex').slice(0, 12);

describe.each(STORES)('%s', (store) => {
  test('update() and take() tell of what they store, once', async () => {
    const { browser, names, settled } = await open(store);
    await browser.get('/update');
    await settled();
    expect(names()).toEqual(['create']);
    await browser.get('/update');
    await settled();
    expect(names()).toEqual(['load', 'save', 'touch']);
    await browser.get('/take');
    await settled();
    expect(names()).toEqual(['load', 'save', 'touch']);
    await browser.get('/take');
    await settled();
    expect(names()).toEqual(['load', 'touch']);
  });

  test('create, load, touch, save and destroy, each with a hash of the id, the request and the time it took', async () => {
    const { browser, events, names, settled } = await open(store);
    await browser.get('/begin');
    await settled();
    expect(names()).toEqual(['create']);
    await browser.get('/');
    await settled();
    expect(names()).toEqual(['load', 'touch']);
    const id = (await browser.get('/change')).body;
    await settled();
    for (const [, event] of events) {
      expect(event.session).toBe(hashOf(id));
      expect(event.req?.url).toBe('/change');
      expect(event.duration).toBeGreaterThanOrEqual(0);
      expect(event.duration).toBeLessThan(60_000);
      expect([event.error, event.keys]).toEqual([undefined, undefined]);
    }
    expect(names()).toEqual(['load', 'save']);
    await browser.get('/logout');
    await settled();
    expect(names()).toEqual(['load', 'destroy']);
    await browser.get('/');
    expect(names()).toEqual(['expire']);
  });

  test("unset: 'destroy': one logout is told of once", async () => {
    const { browser, names, settled } = await open(store, { unset: 'destroy' });
    await browser.get('/begin');
    await settled();
    names();
    await browser.get('/logout');
    await settled();
    expect(names()).toEqual(['load', 'destroy']);
  });

  test('expire: a genuine cookie without a session, or with one that has reached its end', async () => {
    const clock = stopClock();
    const { browser, names, settled } = await open(store, {
      absoluteTimeout: HOUR,
      cookie: { maxAge: 2 * HOUR },
    });
    await browser.get('/begin');
    await settled();
    expect(names()).toEqual(['create']);
    clock.pass(HOUR);
    await browser.get('/');
    await settled();
    expect(names()).toContain('expire');
  });
});

describe.each(GATED_STORES)('%s', (store) => {
  test('conflict: both changes are kept, and the keys of the other one are told', async () => {
    const doors: [Gate, Gate] = [gate(), gate()];
    const slow: Handler = async (req, res) => {
      req.session[req.url.slice(1)] = 1;
      if (req.url === '/slow') {
        doors[0].open();
        await doors[1].opened;
      }
      res.end();
    };
    const fixture = await open(store, {}, slow);
    await begin(fixture);
    const answer = fixture.browser.get('/slow');
    await doors[0].opened;
    await fixture.browser.get('/fast');
    doors[1].open();
    await answer;
    const conflict = fixture.events.find(([name]) => name === 'conflict')?.[1];
    expect(conflict?.keys).toEqual(['fast']);
    expect(fixture.onlyData()).toEqual({ user: 'ada', fast: 1, slow: 1 });
  });

  test('interrupted: what was dropped is told', async () => {
    const doors: [Gate, Gate] = [gate(), gate()];
    const slow: Handler = async (req, res) => {
      if (req.url === '/logout') await req.session.destroy();
      else {
        req.session.late = 1;
        doors[0].open();
        await doors[1].opened;
      }
      res.end();
    };
    const fixture = await open(store, {}, slow);
    await begin(fixture);
    const answer = fixture.browser.get('/slow');
    await doors[0].opened;
    await fixture.browser.get('/logout');
    doors[1].open();
    await answer;
    await fixture.settled();
    const [name, event] = fixture.events.at(-1)!;
    expect([name, event.keys, event.error]).toEqual([
      'interrupted',
      ['late'],
      expect.objectContaining({ code: 'ERR_SESSION_INTERRUPTED' }),
    ]);
  });

  test('error: what the store said, once', async () => {
    const fixture = await open(store);
    await begin(fixture);
    fixture.events.length = 0;
    const failure = new Error('out of order');
    fixture.traffic.fail('get', failure);
    expect((await fixture.browser.get('/')).status).toBe(500);
    expect(fixture.events.map(([name, { error }]) => [name, error])).toEqual([['error', failure]]);
    fixture.traffic.repair('get');
    fixture.events.length = 0;
    fixture.traffic.fail('set', failure);
    await fixture.browser.get('/change');
    await fixture.settled();
    expect(fixture.events.filter(([name]) => name === 'error').map(([, { error }]) => error)).toEqual([
      failure,
    ]);
  });
});

test('off() ends it', async () => {
  const { sessions, site } = await start({ host: 'node:http', store: 'MemoryStore', after: [pages] });
  const heard: string[] = [];
  const listener = (event: session.SessionEvent) => heard.push(event.req?.url ?? '');
  sessions.on('create', listener);
  await new Browser(site).get('/begin');
  sessions.off('create', listener);
  await new Browser(site).get('/begin');
  expect(heard).toEqual(['/begin']);
});

test('a stored record that is unusable is an error, and the session is new', async () => {
  const fixture = await open('text store');
  await begin(fixture);
  const { records } = fixture.store as unknown as { records: Map<string, { value: string }> };
  for (const record of records.values()) record.value = 'no JSON';
  fixture.events.length = 0;
  await fixture.browser.get('/');
  const error = fixture.events.find(([name]) => name === 'error')?.[1].error;
  expect(error).toMatchObject({
    code: 'ERR_SESSION_RECORD',
    help: expect.stringContaining('#err_session_record'),
  });
});

describe('tracing channels', () => {
  test.each(GATED_STORES)(
    '%s: each operation has its start and its end, with the hash, the request and the duration',
    async (store) => {
      const told: [string, any][] = [];
      const operations = ['load', 'save', 'touch', 'destroy'] as const;
      const subscribed = operations.map((operation) => {
        const channel = tracingChannel(`steady-session:${operation}`);
        const subscribers = {
          start: (message: any) => void told.push([`${operation} start`, { ...message }]),
          end: () => {},
          asyncEnd: () => {},
          asyncStart: (message: any) => void told.push([`${operation} end`, { ...message }]),
          error: (message: any) => void told.push([`${operation} error`, { ...message }]),
        };
        channel.subscribe(subscribers as never);
        return () => channel.unsubscribe(subscribers as never);
      });
      const fixture = await start({ host: 'node:http', store, after: [pages] });
      const { browser, settled, traffic } = fixture;
      await browser.get('/begin');
      await settled();
      await browser.get('/');
      await settled();
      const id = (await browser.get('/')).body;
      await settled();
      traffic.fail('get', new Error('down'));
      await browser.get('/');
      await settled();
      traffic.repair('get');
      await browser.get('/logout');
      await settled();
      for (const unsubscribe of subscribed) unsubscribe();

      const reads = ['load start', 'load end', 'touch start', 'touch end'];
      expect(told.map(([what]) => what)).toEqual([
        'save start',
        'save end',
        ...reads,
        ...reads,
        ...['load start', 'load error', 'load end'],
        ...['load start', 'load end', 'destroy start', 'destroy end'],
      ]);
      const [, message] = told.at(-1)!;
      expect(message.session).toBe(hashOf(id));
      expect(message.req.url).toBe('/logout');
      expect(message.duration).toBeGreaterThanOrEqual(0);
      expect(told.find(([what]) => what === 'load error')![1].error.message).toBe('down');
      told.length = 0;
      await new Browser(fixture.site).get('/begin');
      expect(told).toEqual([]);
    },
  );
});

describe.each(GATED_STORES)('channels of events, %s', (store) => {
  const MINUTE = 60_000;
  const options = {
    rotateAfter: HOUR,
    rotateGrace: MINUTE,
    cookie: { maxAge: 5 * HOUR },
    concurrency: 'merge',
  } as const;
  let site: Fixture['site'];
  const unsubscribers: (() => void)[] = [];
  afterEach(() => {
    for (const end of unsubscribers.splice(0)) end();
  });

  /** A request of the same browser comes to its end in the middle of another one, which has made a change. */
  const overtaken: Handler = async (req, res, next) => {
    const [, by] = /^\/overtaken-by(.*)/.exec(req.url) ?? [];
    if (!by) return void next();
    req.session.late = by;
    await new Browser(site).get(by, { headers: { cookie: req.headers.cookie as string } });
    res.end();
  };
  async function startSite(): Promise<Fixture> {
    const fixture = await start({ host: 'node:http', store, options, after: [overtaken, pages] });
    site = fixture.site;
    return fixture;
  }

  /** All that can happen to sessions. */
  async function live({ browser, traffic, settled }: Fixture): Promise<void> {
    const clock = stopClock();
    const visit = async (path: string) => {
      await browser.get(path);
      await settled();
    };
    for (const path of ['/begin', '/', '/change', '/overtaken-by/change', '/overtaken-by/logout', '/begin'])
      await visit(path);
    traffic.fail('get', new Error('down'));
    await visit('/');
    traffic.repair('get');
    const cookie = browser.cookieHeader('/');
    clock.pass(HOUR);
    await visit('/');
    clock.pass(MINUTE + 1);
    await new Browser(site).get('/', { headers: { cookie } });
    await settled();
  }

  function published(name: session.SessionEventName): session.SessionEvent[] {
    const events: session.SessionEvent[] = [];
    const listener = (event: unknown) => void events.push(event as session.SessionEvent);
    subscribe(`steady-session:event:${name}`, listener);
    unsubscribers.push(() => unsubscribe(`steady-session:event:${name}`, listener));
    return events;
  }

  test.each(NAMES)(
    '%s: who subscribes to nothing else is told, with the hash, the request and the rest',
    async (name) => {
      const events = published(name);
      await live(await startSite());

      const measured = ['create', 'load', 'save', 'touch', 'destroy', 'expire', 'error'].includes(name);
      const duration = measured ? expect.any(Number) : undefined;
      const [event] = events;
      expect(event).toMatchObject({
        session: expect.stringMatching(/^[0-9a-f]{12}$/),
        req: { method: 'GET' },
      });
      expect(event!.duration).toEqual(duration);
    },
  );

  test('they get the very objects that listeners get, and nothing once they have had enough', async () => {
    const fixture = await startSite();
    const heard = NAMES.map((name) => {
      const events: session.SessionEvent[] = [];
      fixture.sessions.on(name, (event) => events.push(event));
      return events;
    });
    const told = NAMES.map(published);
    await live(fixture);
    for (const end of unsubscribers.splice(0)) end();
    expect(heard.map(({ length }) => length > 0)).toEqual(NAMES.map(() => true));
    const pairs = heard.flatMap((events, n) => events.map((event, m) => event === told[n]![m]));
    expect([pairs.every(Boolean), told.flat().length]).toEqual([true, pairs.length]);
    await fixture.browser.get('/');
    expect(told.flat()).toHaveLength(pairs.length);
  });
});

test.each(STORES)('%s: with nobody listening, trouble breaks nothing', async (store) => {
  const { browser, traffic, settled } = await start({ host: 'node:http', store, after: [pages] });
  await browser.get('/begin');
  await settled();
  traffic.fail('touch', new Error('down'));
  expect((await browser.get('/')).status).toBe(200);
  await settled();
  traffic.repair('touch');
  expect((await browser.get('/change')).status).toBe(200);
});
