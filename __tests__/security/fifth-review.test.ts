import { once } from 'node:events';
import { get } from 'node:http';
import session from '../../lib/index.js';
import { changedText } from '../../lib/matches-text.js';
import { Browser, gate, turn } from '../support/http.js';
import { baseOptions } from '../support/lifecycle.js';
import { closeSites, type Handler, serve } from '../support/sites.js';

// What the fifth hostile review found, and is shown nowhere else.

afterEach(closeSites);

async function open(app: Handler, options: session.SessionOptions = {}) {
  const store = new session.MemoryStore();
  const sessions = session({ ...baseOptions, store, ...options });
  const site = await serve('node:http', [sessions, app]);
  return { site, sessions, store, browser: new Browser(site) };
}

// ---- Faults

describe('an app that builds upon Cookie.prototype.data', () => {
  const { prototype } = session.Cookie as unknown as { prototype: any };
  const original = Object.getOwnPropertyDescriptor(prototype, 'data') as PropertyDescriptor;
  const ours = (cookie: unknown): any => original.get?.call(cookie);
  afterEach(() => Object.defineProperty(prototype, 'data', original));

  test.each<[string, (this: any) => any]>([
    [
      'by adding to it',
      function () {
        return Object.assign(ours(this), { label: this.label });
      },
    ],
    [
      'by adding to it what may fail without a word',
      function () {
        const data = ours(this);
        Reflect.set(data, 'label', this.label);
        return data;
      },
    ],
    [
      'by reading it',
      function () {
        const data = ours(this);
        return { ...data, path: data.path.toLowerCase(), label: this.label };
      },
    ],
  ])('%s: each cookie is stored as it is', async (_how, get) => {
    Object.defineProperty(prototype, 'data', { ...original, get });
    const { site, store } = await open((req, res) => {
      req.session.user = 'ada';
      req.session.cookie.label = req.url;
      res.end();
    });
    for (const path of ['/one', '/two']) await new Browser(site).get(path);
    await site.settled();
    const labels = Object.values(store.sessions).map((text) => JSON.parse(text).cookie.label);
    expect(site.errors).toEqual([]);
    expect(labels.sort()).toEqual(['/one', '/two']);
  });
});

test('a long value of a client’s that has changed is compared in no more time than it is long', () => {
  const textOf = (letter: string) => `a${letter}${'a'.repeat(30_000)}`;
  const notes = 'a'.repeat(500_000);
  const text = JSON.stringify({ name: textOf('c'), notes }).slice(1);
  const start = performance.now();
  changedText({ name: textOf('b'), notes }, text, 'cookie');
  expect(performance.now() - start).toBeLessThan(200);
});

test.each(['save', 'reload'])(
  '%s() answers under a fake setImmediate(), put in its place later',
  async (method) => {
    const real = globalThis.setImmediate;
    const { browser } = await open(async (req, res) => {
      if (req.url === '/begin') return res.end(Object.assign(req.session, { user: 'ada' }).user);
      globalThis.setImmediate = (() => {}) as unknown as typeof setImmediate;
      const done = new Promise((resolve) => req.session[method](resolve));
      const late = new Promise((resolve) => setTimeout(resolve, 500, 'late'));
      const first = await Promise.race([done, late]);
      globalThis.setImmediate = real;
      return res.end(String(first));
    });
    await browser.get('/begin');
    expect((await browser.get('/')).body).not.toBe('late');
  },
);

test.each<session.SessionOptions>([{}, { cookie: { maxAge: 60_000 } }])(
  '%j: a cookie whose JSON is nothing is left out',
  async (options) => {
    const { site, store, browser } = await open((req, res) => {
      req.session.n = (req.session.n ?? 0) + 1;
      if (req.url === '/') req.session.cookie.toJSON = () => undefined;
      res.end();
    }, options);
    await browser.get('/begin');
    await browser.get('/');
    await site.settled();
    expect(site.errors).toEqual([]);
    expect(Object.values(store.sessions)).toEqual(['{"n":2}']);
  },
);

test('an id that is none stores nothing, and is no error', async () => {
  const { site, browser } = await open(
    (req, res) => {
      req.session.user = 'ada';
      res.end();
    },
    { genid: (() => undefined) as never },
  );
  await browser.get('/');
  await site.settled();
  await turn();
  expect(site.errors).toEqual([]);
});

// ---- Not tested before

test('what a close listener changes while the commit is under way is stored', async () => {
  const { texts } = new session.MemoryStore();
  const [writing, written] = [gate(), gate()];
  const set: session.SessionStore['set'] = async (...args) => {
    const result = await texts.set(...args);
    writing.open();
    await written.opened;
    return result;
  };
  let id = '';
  const { site } = await open(
    (req, res) => {
      id = req.sessionID;
      req.session.user = 'ada';
      res.on('close', () => {
        req.session.user = 'grace';
      });
      res.end();
    },
    { store: { ...texts, set } },
  );
  const request = get({ port: site.port, agent: false }).on('error', () => {});
  await writing.opened;
  request.destroy();
  await once(site.sockets[0]!, 'close');
  await turn();
  written.open();
  await site.settled();
  await turn();
  expect(JSON.parse((await texts.get(id))!)).toMatchObject({ user: 'grace' });
});

test('a session that is regenerated after the first part of the response is stored under its new id', async () => {
  const { site, store, browser } = await open(async (req, res) => {
    if (req.url === '/begin') return res.end(Object.assign(req.session, { user: 'ada' }).user);
    res.write('first');
    await req.session.regenerate({ keep: true });
    return res.end(req.sessionID);
  });
  await browser.get('/begin');
  const { body } = await browser.get('/');
  await site.settled();
  expect(Object.keys(store.sessions)).toEqual([body.slice('first'.length)]);
});

test('sessions that got their ids at different times each keep their own', async () => {
  const texts: string[] = [];
  const { site, store } = await open(
    (req, res) => {
      const { rotatedAt } = req.session.cookie;
      while (Date.now() === rotatedAt);
      req.session.user = 'ada';
      texts.push(JSON.stringify(req.session));
      res.end();
    },
    { rotateAfter: 60_000 },
  );
  for (let count = 0; count < 3; count++) await new Browser(site).get('/');
  await site.settled();
  expect(Object.values(store.sessions).sort()).toEqual(texts.sort());
});

test.each<[string, unknown[]]>([
  ['alone', []],
  ['after a message', ['Fine']],
])('writeHead() takes a list of pairs beside headers that were set before, %s', async (_, message) => {
  const { browser } = await open((_req, res) => {
    res.setHeader('X-Set', '1');
    const pairs = [
      ['X-Listed', '2'],
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
    ];
    res.writeHead(200, ...message, pairs).end();
  });
  const { headers, setCookie } = await browser.get('/');
  expect([headers['x-set'], headers['x-listed']]).toEqual(['1', '2']);
  expect(setCookie).toEqual(['a=1', 'b=2']);
});

test('cachePrivate leaves a header that was set before writeHead() brings others', async () => {
  const { browser } = await open(
    (req, res) => {
      req.session.user = 'ada';
      res.setHeader('Cache-Control', 'no-store');
      res.writeHead(200, { 'X-Other': '1' }).end();
    },
    { cachePrivate: true },
  );
  expect((await browser.get('/')).headers['cache-control']).toBe('no-store');
});
