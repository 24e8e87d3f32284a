import { useFrozenClock } from './clock.js';
import { expectSame } from './compare.js';
import { ignoreWarnings } from './deprecations.js';
import { type CookieSpec, HOSTS, type OptionsSpec, type RequestSpec, type StoreSpec } from './scenario.js';

useFrozenClock();
ignoreWarnings();
// Hundreds of requests in one test.
jest.setTimeout(60_000);

const cookies: Record<string, CookieSpec | undefined> = {
  'left out': undefined,
  maxAge: { maxAge: 60_000 },
  'maxAge 0': { maxAge: 0 },
  'maxAge null': { maxAge: null },
  'expires as a Date': { expiresIn: 60_000 },
  'maxAge and expires': { maxAge: 10_000, expiresIn: 60_000 },
  'as a function': { maxAge: 60_000, sameSite: 'strict', asFunction: true },
  secure: { secure: true },
  'secure auto': { secure: 'auto', maxAge: 60_000 },
  'sameSite auto': { sameSite: 'auto' },
  'sameSite and secure auto': { sameSite: 'auto', secure: 'auto' },
  path: { path: '/app' },
  'domain, priority, partitioned, not httpOnly': {
    domain: 'example.com',
    priority: 'high',
    partitioned: true,
    secure: 'auto',
    httpOnly: false,
    sameSite: true,
  },
};

/** The life of one browser, with each kind of thing that an app does to its session. */
const life: RequestSpec[] = [
  { cookie: 'none', actions: [], ending: { by: 'end', body: { text: 'nothing yet' } } },
  { cookie: 'latest', after: 1_000, actions: [], ending: { by: 'end', body: { text: 'still nothing' } } },
  {
    cookie: 'none',
    actions: [{ do: 'write', key: 'user', value: { name: 'Ada' } }],
    ending: { by: 'redirect', to: '/app' },
  },
  {
    cookie: 'latest',
    after: 5_000,
    actions: [{ do: 'read', key: 'user' }],
    ending: { by: 'end', body: { text: 'hi' } },
  },
  {
    cookie: 'latest',
    after: 30_000,
    actions: [{ do: 'same', key: 'user' }, { do: 'touch' }],
    ending: { by: 'stream', parts: [{ text: 'a', meanwhile: [{ do: 'turn' }] }], last: { text: 'b' } },
  },
  {
    cookie: 'latest',
    actions: [{ do: 'nested', key: 'user', value: 2 }, { do: 'save' }],
    ending: { by: 'length', body: { text: 'saved' } },
  },
  {
    cookie: 'latest',
    actions: [{ do: 'regenerate' }],
    ending: { by: 'writeHead', status: 200, body: { text: 'new' } },
  },
  { cookie: 'first', actions: [{ do: 'read', key: 'user' }], ending: { by: 'end', body: null } },
  { cookie: 'unknown', after: 90_000, actions: [], ending: { by: 'throw', message: 'oops' } },
  {
    cookie: 'latest',
    method: 'HEAD',
    actions: [{ do: 'null' }],
    ending: { by: 'end', body: { text: 'gone' } },
  },
  { cookie: 'latest', actions: [{ do: 'destroy' }], ending: { by: 'end', status: 204, body: null } },
].map((request) => ({ path: '/app', headers: { 'X-Forwarded-Proto': 'https' }, ...request }) as RequestSpec);

const booleans = [false, true];

function* optionCombinations(): Generator<OptionsSpec> {
  for (const resave of booleans)
    for (const saveUninitialized of booleans)
      for (const rolling of booleans)
        for (const unset of ['keep', 'destroy'] as const)
          yield { resave, saveUninitialized, rolling, unset, secret: 'text', proxy: true };
}

const store: StoreSpec = { kind: 'recording', touch: true, turns: 1, missing: 'undefined' };

describe.each(Object.entries(cookies))('cookie: %s', (_, cookie) => {
  test.each([
    ['with touch', { ...store }],
    ['without touch', { ...store, touch: false, turns: 0 }],
  ])('every combination of options, store %s', async (_name, store) => {
    for (const options of optionCombinations()) {
      await expectSame({
        host: 'http',
        options: { ...options, ...(cookie && { cookie }) },
        store,
        requests: life,
      });
    }
  });
});

describe.each(HOSTS)('on %s', (host) => {
  const options: OptionsSpec = {
    resave: false,
    saveUninitialized: false,
    secret: 'text',
    cookie: { maxAge: 60_000 },
  };

  test.each<Partial<OptionsSpec>>([
    { name: 'sid' },
    { name: 'sid', nameAsKey: true },
    { secret: 'rotated' },
    { secret: 'buffer' },
    { secret: 'req.secret', cookieParser: true },
    { cookieParser: true },
    { proxy: true, cookie: { secure: 'auto' } },
    { proxy: false, cookie: { secure: 'auto', sameSite: 'auto' } },
    { trustProxy: true, cookie: { secure: 'auto', sameSite: 'auto' } },
    { trustProxy: false, cookie: { secure: 'auto', sameSite: 'auto' } },
    { trustProxy: true, cookie: { secure: true } },
    { encrypted: true, proxy: false, cookie: { secure: 'auto', sameSite: 'auto' } },
    { encrypted: true, cookie: { secure: true } },
    { encrypted: 'connection', cookie: { secure: true } },
    { encrypted: 'connection', proxy: false, cookie: { secure: 'auto', sameSite: 'auto' } },
    { mounts: 2 },
  ])('%j', async (more) => {
    await expectSame({ host, options: { ...options, ...more }, store, requests: life });
  });

  test.each<Partial<StoreSpec>>([
    { kind: 'memory' },
    { kind: 'default' },
    { turns: 0 },
    { turns: 3 },
    { missing: 'null' },
    { missing: 'ENOENT' },
  ])('store %j', async (more) => {
    await expectSame({ host, options, store: { ...store, ...more }, requests: life });
  });
});
