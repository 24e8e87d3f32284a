import { createSecretKey } from 'node:crypto';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import session from '../lib/index.js';
import { OPTIONS, type SessionOptions } from '../lib/options.js';
import { readOptions } from '../lib/read-options.js';
import { recommended } from '../lib/recommended.js';
import { Browser } from './support/http.js';
import { closeSites, serve } from './support/sites.js';

const base: SessionOptions = { secret: 'keyboard cat', resave: false, saveUninitialized: false };

/** All warnings that a test has caused: code and text. */
const warnings: [string, string][] = [];

beforeEach(() => {
  warnings.length = 0;
  jest.spyOn(process, 'emitWarning').mockImplementation((...args: unknown[]) => {
    const [message, { type, code }] = args as [string, { type: string; code: string }];
    expect(type).toBe('SteadySessionWarning');
    warnings.push([code, message]);
  });
});
afterEach(() => jest.restoreAllMocks());

const given = (options: object): SessionOptions => ({ ...base, ...options });

/** A request that looks at its session, and fails as the middleware does. */
async function request(handler: session.SessionHandler): Promise<void> {
  const site = await serve('node:http', [handler, (req, res) => res.end(req.session && 'seen')]);
  await new Browser(site).get('/').finally(closeSites);
  for (const error of site.errors) throw error;
}

/** Options that could never work, and what is said of them. */
const refused: [string, object, string][] = [
  ['genid', { genid: 'uuid' }, 'genid option must be a function'],
  ['genid, a number', { genid: 1 }, 'genid option must be a function'],
  ['unset', { unset: 'delete' }, 'unset option must be "destroy" or "keep"'],
  ['unset, true', { unset: true }, 'unset option must be "destroy" or "keep"'],
  ['no secrets', { secret: [] }, 'secret option array must contain one or more strings'],
  [
    'a secret that is a number',
    { secret: 42 },
    'secret option must be a string, a Buffer, a KeyObject or an array of them; got number',
  ],
  [
    'one bad secret among good ones',
    { secret: ['good', undefined] },
    'secret option must be a string, a Buffer, a KeyObject or an array of them; got undefined',
  ],
  [
    'a secret that is an object',
    { secret: { key: 'x' } },
    'secret option must be a string, a Buffer, a KeyObject or an array of them; got object',
  ],
  [
    'a secret that is missing from a list',
    { secret: ['good', null] },
    'secret option must be a string, a Buffer, a KeyObject or an array of them; got null',
  ],
  [
    'name with a blank',
    { name: 'my session' },
    'name option must be a cookie name: letters, digits and !#$%&\'*+-.^_`|~; got "my session"',
  ],
  [
    'name with a semicolon',
    { name: 'sid;' },
    'name option must be a cookie name: letters, digits and !#$%&\'*+-.^_`|~; got "sid;"',
  ],
  [
    'name beyond ASCII',
    { name: 'größe' },
    'name option must be a cookie name: letters, digits and !#$%&\'*+-.^_`|~; got "größe"',
  ],
  [
    'name that is a number',
    { name: 7 },
    "name option must be a cookie name: letters, digits and !#$%&'*+-.^_`|~; got 7 (number)",
  ],
  [
    'key, which is another word for name',
    { key: '=' },
    'name option must be a cookie name: letters, digits and !#$%&\'*+-.^_`|~; got "="',
  ],
  ['saveFailure', { saveFailure: 'throw' }, 'saveFailure option must be one of "pass", "error"; got "throw"'],
  [
    'saveFailure, misspelt',
    { saveFailure: 'eror' },
    'saveFailure option must be one of "pass", "error" (did you mean "error"?); got "eror"',
  ],
  [
    'saveFailure, true',
    { saveFailure: true },
    'saveFailure option must be one of "pass", "error"; got true (boolean)',
  ],
  ['clearCookie', { clearCookie: 'yes' }, 'clearCookie option must be true or false; got "yes"'],
  ['ttl, text', { ttl: '1d' }, 'ttl option must be a positive number of milliseconds; got "1d"'],
  ['ttl, negative', { ttl: -1 }, 'ttl option must be a positive number of milliseconds; got -1 (number)'],
  ['ttl, zero', { ttl: 0 }, 'ttl option must be a positive number of milliseconds; got 0 (number)'],
  [
    'ttl, endless',
    { ttl: Infinity },
    'ttl option must be a finite number of milliseconds; got Infinity (number)',
  ],
  [
    'ttl, no number',
    { ttl: Number.NaN },
    'ttl option must be a positive number of milliseconds; got NaN (number)',
  ],
  ['cookie, text', { cookie: '/' }, 'cookie option must be an object or a function; got "/"'],
  ['cookie, true', { cookie: true }, 'cookie option must be an object or a function; got true (boolean)'],
  ['cookie, a list', { cookie: [] }, 'cookie option must be an object or a function; got an array'],
  [
    'store, a promise',
    { store: Promise.resolve({}) },
    'store option must be a session store, but it has no get() method; got an object (Promise); wait for it: `await ...`',
  ],
  [
    'cookie.sameSite',
    { cookie: { sameSite: 'loose' } },
    'cookie.sameSite option must be one of true, "lax", "strict", "none", "auto"; got "loose"',
  ],
  [
    'cookie.sameSite, misspelt',
    { cookie: { sameSite: 'Laxe' } },
    'cookie.sameSite option must be one of true, "lax", "strict", "none", "auto" (did you mean "lax"?); got "Laxe"',
  ],
  [
    'cookie.sameSite, a number',
    { cookie: { sameSite: 1 } },
    'cookie.sameSite option must be one of true, "lax", "strict", "none", "auto"; got 1 (number)',
  ],
  [
    'cookie.priority',
    { cookie: { priority: 'urgent' } },
    'cookie.priority option must be one of "low", "medium", "high"; got "urgent"',
  ],
  [
    'cookie.priority, misspelt',
    { cookie: { priority: 'hgh' } },
    'cookie.priority option must be one of "low", "medium", "high" (did you mean "high"?); got "hgh"',
  ],
  [
    'cookie.maxAge',
    { cookie: { maxAge: '60000' } },
    'cookie.maxAge option must be a number of milliseconds; got "60000"',
  ],
  [
    'cookie.maxAge, an object',
    { cookie: { maxAge: {} } },
    'cookie.maxAge option must be a number of milliseconds; got an object (Object)',
  ],
  [
    'cookie.maxAge, no number',
    { cookie: { maxAge: Number.NaN } },
    'cookie.maxAge option must be a number of milliseconds that leads to a date; got NaN (number)',
  ],
  [
    'cookie.maxAge, endless',
    { cookie: { expires: new Date(), maxAge: Infinity } },
    'cookie.maxAge option must be a number of milliseconds that leads to a date; got Infinity (number)',
  ],
  [
    'cookie.expires, text',
    { cookie: { expires: '2030-01-01' } },
    'cookie.expires option must be a valid Date (did you mean new Date("2030-01-01")?); got "2030-01-01"',
  ],
  [
    'cookie.expires, text that is no date',
    { cookie: { expires: 'soon' } },
    'cookie.expires option must be a valid Date; got "soon"',
  ],
  [
    'cookie.expires, an invalid Date',
    { cookie: { expires: new Date(Number.NaN) } },
    'cookie.expires option must be a valid Date; got an invalid Date',
  ],
  [
    'cookie.path without a slash',
    { cookie: { path: 'admin' } },
    `cookie.path option must be a path that begins with '/' (did you mean "/admin"?); got "admin"`,
  ],
  [
    'cookie.path that cannot be sent',
    { cookie: { path: '/a;b' } },
    `cookie.path option must be a path that begins with '/', in ASCII and without ';'; got "/a;b"`,
  ],
  [
    'cookie.path, a number',
    { cookie: { path: 5 } },
    "cookie.path option must be a path that begins with '/'; got 5 (number)",
  ],
  [
    'cookie.domain, a URL',
    { cookie: { domain: 'https://x.y' } },
    'cookie.domain option must be the name of a host (did you mean "x.y"?); got "https://x.y"',
  ],
  [
    'cookie.domain with a port',
    { cookie: { domain: 'x.y:80' } },
    'cookie.domain option must be the name of a host (did you mean "x.y"?); got "x.y:80"',
  ],
  [
    'cookie.domain, a pattern',
    { cookie: { domain: '*.x.y' } },
    'cookie.domain option must be the name of a host (did you mean "x.y"?); got "*.x.y"',
  ],
  [
    'cookie.domain that is no name',
    { cookie: { domain: 'a b' } },
    'cookie.domain option must be the name of a host; got "a b"',
  ],
  [
    'owner, a path',
    { owner: 'user.id' },
    'owner option must be the name of one key, or a function of the session data (did you mean `(data) => data.user?.id`?); got "user.id"',
  ],
  [
    'owner, a key with a dot',
    { owner: 'user.' },
    'owner option must be the name of one key, or a function of the session data (did you mean `(data) => data["user."]`?); got "user."',
  ],
  [
    'store, a class',
    { store: session.MemoryStore },
    'store option must be a session store, but it has no get() method; got a function (MemoryStore); pass an instance of it: `new ...`',
  ],
  [
    'store, a connection string, which may have a password in it',
    { store: 'redis://:secret@localhost' },
    'store option must be a session store, but it has no get() method; got a string',
  ],
  [
    'store, an empty object',
    { store: {} },
    'store option must be a session store, but it has no get() method; got an object (Object)',
  ],
  [
    'store, a Redis client, which has methods of these names',
    { store: { get() {}, set() {}, touch() {}, destroy() {}, sendCommand() {} } },
    "store option must be a session store, and this is a Redis client: give it to one, as in new RedisStore({ client }) of 'steady-session/redis'",
  ],
  [
    'store, a client of ioredis',
    { store: { get() {}, set() {}, del() {}, sendCommand() {} } },
    "store option must be a session store, and this is a Redis client: give it to one, as in new RedisStore({ client }) of 'steady-session/redis'",
  ],
  [
    'store, a pool of pg',
    { store: { query() {}, connect() {}, end() {} } },
    "store option must be a session store, and this is a pool of a database: give it to one, as in new PostgresStore({ pool }) of 'steady-session/postgres'",
  ],
  [
    'store without set()',
    { store: { get() {} } },
    'store option must be a session store, but it has no set() method; got an object (Object)',
  ],
  [
    'store without destroy()',
    { store: { get() {}, set() {} } },
    'store option must be a session store, but it has no destroy() method; got an object (Object)',
  ],
  [
    'a store of text without touch()',
    { store: { async get(_id: string) {}, async set() {}, async destroy() {} } },
    'store option must be a session store, but it has no touch() method; got an object (Object)',
  ],
  [
    'concurrency',
    { concurrency: 'merged' },
    'concurrency option must be one of "merge", "overwrite" (did you mean "merge"?); got "merged"',
  ],
  [
    'concurrency, two letters swapped',
    { concurrency: 'mrege' },
    'concurrency option must be one of "merge", "overwrite" (did you mean "merge"?); got "mrege"',
  ],
  [
    'largeSession, text',
    { largeSession: '1 MB' },
    'largeSession option must be a positive number of characters; got "1 MB"',
  ],
  [
    'control characters, which no terminal is to act on',
    { unset: undefined, concurrency: 'a\u009b2J\u007f\n' },
    'concurrency option must be one of "merge", "overwrite"; got "a\\u009b2J\\u007f\\n"',
  ],
  [
    'store, a Map',
    { store: new Map() },
    'store option must be a session store, but it has no destroy() method; got an object (Map); make it one: fromMap(map) or fromKeyv(keyv)',
  ],
  [
    'store, of unstorage',
    { store: { getItem() {}, setItem() {} } },
    'store option must be a session store, but it has no get() method; got an object (Object); make it one: fromUnstorage(storage)',
  ],
  [
    'store, of cache-manager',
    { store: { stores: [], get() {}, set() {} } },
    'store option must be a session store, but it has no destroy() method; got an object (Object); make it one: fromCacheManager(cache)',
  ],
  ['merge', { merge: 'mine' }, 'merge option must be a function; got "mine"'],
  [
    'onInterrupted',
    { onInterrupted: 'throw' },
    'onInterrupted option must be one of "ignore", "error"; got "throw"',
  ],
  ['onStoreDown', { onStoreDown: 'wait' }, 'onStoreDown option must be one of "skip", "error"; got "wait"'],
  [
    'onReuse',
    { onReuse: 'revok' },
    'onReuse option must be one of "ignore", "revoke" (did you mean "revoke"?); got "revok"',
  ],
  [
    'storeTimeout',
    { storeTimeout: '1h' },
    'storeTimeout option must be a positive number of milliseconds, 24 days at most; got "1h"',
  ],
  [
    'storeTimeout, negative',
    { storeTimeout: -1 },
    'storeTimeout option must be a positive number of milliseconds, 24 days at most; got -1 (number)',
  ],
  [
    'absoluteTimeout',
    { absoluteTimeout: '1h' },
    'absoluteTimeout option must be a positive number of milliseconds, or 0; got "1h"',
  ],
  [
    'absoluteTimeout, negative',
    { absoluteTimeout: -1 },
    'absoluteTimeout option must be a positive number of milliseconds, or 0; got -1 (number)',
  ],
  [
    'touchAfter',
    { touchAfter: '1h' },
    'touchAfter option must be a positive number of milliseconds, or 0; got "1h"',
  ],
  [
    'touchAfter, negative',
    { touchAfter: -1 },
    'touchAfter option must be a positive number of milliseconds, or 0; got -1 (number)',
  ],
  [
    'rotateAfter',
    { rotateAfter: '1h' },
    'rotateAfter option must be a positive number of milliseconds, or 0; got "1h"',
  ],
  [
    'rotateAfter, negative',
    { rotateAfter: -1 },
    'rotateAfter option must be a positive number of milliseconds, or 0; got -1 (number)',
  ],
  [
    'absoluteTimeout, of a variable that is not set',
    { absoluteTimeout: Number(undefined) },
    'absoluteTimeout option must be a positive number of milliseconds, or 0; got NaN (number)',
  ],
  [
    'rotateAfter, empty',
    { rotateAfter: '' },
    'rotateAfter option must be a positive number of milliseconds, or 0; got ""',
  ],
  [
    'touchAfter, true',
    { touchAfter: true },
    'touchAfter option must be a positive number of milliseconds, or 0; got true (boolean)',
  ],
  [
    'storeTimeout, more than a timer can wait',
    { storeTimeout: 2 ** 31 },
    'storeTimeout option must be a positive number of milliseconds, 24 days at most; got 2147483648 (number)',
  ],
  [
    'rotateAfter with a store made for express-session',
    { rotateAfter: 1000, store: { createSession() {}, get() {}, set() {}, destroy() {} } },
    "rotateAfter option needs concurrency: 'merge', which is not the default with a store made for express-session; add it",
  ],
  [
    'rotateGrace',
    { rotateGrace: '1h' },
    'rotateGrace option must be a positive number of milliseconds; got "1h"',
  ],
  [
    'rotateGrace, negative',
    { rotateGrace: -1 },
    'rotateGrace option must be a positive number of milliseconds; got -1 (number)',
  ],
  [
    'storeTimeout, zero',
    { storeTimeout: 0 },
    'storeTimeout option must be a positive number of milliseconds, 24 days at most; got 0 (number)',
  ],
  [
    'rotateGrace, zero',
    { rotateGrace: 0 },
    'rotateGrace option must be a positive number of milliseconds; got 0 (number)',
  ],
  ['touch', { touch: true }, 'touch option must be a function; got true (boolean)'],
  ['skip', { skip: true }, 'skip option must be a function; got true (boolean)'],
  ['trackCookie', { trackCookie: 1 }, 'trackCookie option must be true or false; got 1 (number)'],
  ['resign', { resign: 1 }, 'resign option must be true or false; got 1 (number)'],
  ['cachePrivate', { cachePrivate: 1 }, 'cachePrivate option must be true or false; got 1 (number)'],
  ['expireStrays', { expireStrays: 1 }, 'expireStrays option must be true or false; got 1 (number)'],
  [
    'storeUnreachable',
    { storeUnreachable: 1 },
    'storeUnreachable option must be true or false; got 1 (number)',
  ],
  [
    'largeSession',
    { largeSession: 0 },
    'largeSession option must be a positive number of characters; got 0 (number)',
  ],
  [
    'rotateAfter without merging',
    { rotateAfter: 1000, concurrency: 'overwrite' },
    'concurrency option must be \'merge\' for rotateAfter to be safe; got "overwrite"',
  ],
  [
    'the name of a secure prefix',
    { name: '__Secure-sid' },
    'cookie.secure option must be true for a cookie called __Secure-sid; got undefined',
  ],
  [
    'the name of a secure prefix, in capitals',
    { name: '__SECURE-sid' },
    'cookie.secure option must be true for a cookie called __SECURE-sid; got undefined',
  ],
  [
    'the name of a host prefix',
    { name: '__Host-sid', cookie: { secure: false } },
    'cookie.secure option must be true for a cookie called __Host-sid; got false (boolean)',
  ],
  [
    'the name of a host prefix, with a path',
    { name: '__Host-sid', cookie: { secure: true, path: '/app' } },
    'cookie.path option must be \'/\' for a cookie called __Host-sid; got "/app"',
  ],
  [
    'the name of a host prefix, with a domain',
    { name: '__Host-sid', cookie: { secure: true, domain: 'example.org' } },
    'cookie.domain option must be left out for a cookie called __Host-sid; got "example.org"',
  ],
];

describe('options that could never work', () => {
  test.each(refused)('%s', (_name, options, message) => {
    expect(() => session(given(options))).toThrow(new TypeError(message));
  });

  test('a long text is cut short in the message', () => {
    const name = `${'x'.repeat(60)} `;
    expect(() => session(given({ name }))).toThrow(
      new TypeError(
        `name option must be a cookie name: letters, digits and !#$%&'*+-.^_\`|~; got "${'x'.repeat(40)}..."`,
      ),
    );
  });

  test.each<[string, unknown, string]>([
    ['a secret', 'very secret', 'a string; did you mean { secret: ... }?'],
    ['a number', 5, '5 (number)'],
    ['true', true, 'true (boolean)'],
    ['a promise', Promise.resolve({}), 'an object (Promise); wait for it: `await ...`'],
    [
      'a request, as by app.use(session)',
      new IncomingMessage(new Socket()),
      'an object (IncomingMessage); did you mean app.use(session({ ... })), and not app.use(session)?',
    ],
  ])('%s in the place of the options', (_name, options, given) => {
    const text = `options must be an object, such as { secret, store }; got ${given}`;
    expect(() => session(options as never)).toThrow(new TypeError(text));
  });

  test('null in the place of the options: there are none, as with express-session', () => {
    const quiet = () => {};
    process.on('deprecation', quiet);
    expect(session(null as never)).toBeInstanceOf(Function);
    process.off('deprecation', quiet);
  });

  test('no secret ever shows in a message', () => {
    const secret = { toString: () => 'very secret' };
    expect(() => session(given({ secret }))).toThrow(/^(?!.*very secret)/);
    expect(() => session(given({ secret: ['very secret', 1] }))).toThrow(/^(?!.*very secret)/);
  });
});

describe('options that work', () => {
  const store = new session.MemoryStore().setMaxListeners(0);
  afterAll(() => store.close());

  test.each<[string, object, object]>([
    [
      'none',
      {},
      {
        name: 'connect.sid',
        secrets: ['keyboard cat'],
        unset: 'keep',
        saveFailure: 'pass',
        clearCookie: false,
        rolling: false,
        ttl: 86_400_000,
        proxy: undefined,
      },
    ],
    ['name', { name: 'sid' }, { name: 'sid' }],
    ['key', { key: 'sid' }, { name: 'sid' }],
    ['name before key', { name: 'sid', key: 'other' }, { name: 'sid' }],
    ['the name of a host prefix', { name: '__Host-sid', cookie: { secure: true } }, { name: '__Host-sid' }],
    ['secrets', { secret: ['new', 'old'] }, { secrets: ['new', 'old'] }],
    ['rolling, as a truthy value', { rolling: 1 }, { rolling: true }],
    ['resave, as a truthy value', { resave: 1 }, { resave: true }],
    ['cookie.secure, auto', { cookie: { secure: 'auto' } }, {}],
    ['texts that are empty', { resave: '', proxy: '', cookie: { secure: '' } }, { resave: false }],
    ['a key of the owner', { owner: 'userId' }, { owner: 'userId' }],
    ['touchAfter below the lifetime', { touchAfter: 999, cookie: { maxAge: 1000 } }, { touchAfter: 999 }],
    [
      'touchAfter beyond ttl, which does not count beside maxAge',
      { touchAfter: 5000, ttl: 1000, cookie: { maxAge: 9000 } },
      { touchAfter: 5000 },
    ],
    [
      'touchAfter, where the lifetime depends on the request',
      { touchAfter: 5000, ttl: 1000, cookie: () => ({ maxAge: 1 }) },
      { touchAfter: 5000 },
    ],
    ['touchAfter, where all sessions end at once', { touchAfter: 9, cookie: { expires: new Date() } }, {}],
    ['onReuse with rotateAfter', { onReuse: 'revoke', rotateGrace: 1, rotateAfter: 9 }, { rotateAfter: 9 }],
    ['resave, null', { resave: null }, { resave: false }],
    ['saveUninitialized, as a truthy value', { saveUninitialized: {} }, { saveUninitialized: true }],
    ['unset', { unset: 'destroy' }, { unset: 'destroy' }],
    ['unset, empty', { unset: '' }, { unset: 'keep' }],
    ['proxy', { proxy: true }, { proxy: true }],
    ['saveFailure', { saveFailure: 'error' }, { saveFailure: 'error' }],
    ['clearCookie', { clearCookie: true }, { clearCookie: true }],
    ['ttl', { ttl: 1000 }, { ttl: 1000 }],
    [
      'the name of a secure prefix',
      { name: '__Secure-sid', cookie: { secure: true, path: '/a', domain: 'a.org' } },
      { name: '__Secure-sid' },
    ],
    [
      'time-outs of 0',
      { absoluteTimeout: 0, touchAfter: 0, rotateAfter: 0 },
      { absoluteTimeout: 0, touchAfter: 0, rotateAfter: 0 },
    ],
    [
      'undefined everywhere',
      {
        name: undefined,
        key: undefined,
        genid: undefined,
        cookie: undefined,
        saveFailure: undefined,
        clearCookie: undefined,
        ttl: undefined,
        unset: undefined,
      },
      { name: 'connect.sid', saveFailure: 'pass', clearCookie: false, ttl: 86_400_000, unset: 'keep' },
    ],
  ])('%s', (_name, options, settings) => {
    expect(readOptions(given({ store, ...options }), () => {})).toMatchObject(settings);
    expect(warnings).toEqual([]);
  });

  test.each([true, false, 'lax', 'strict', 'none', 'auto', 'Lax', 'STRICT', undefined])(
    'sameSite %p',
    (sameSite) => {
      const cookie = { sameSite, secure: true } as never;
      expect(readOptions(given({ store, cookie }), () => {}).cookieOptions({} as never)).toBe(cookie);
    },
  );

  test.each(['low', 'medium', 'high', 'High', undefined])('priority %p', (priority) => {
    const cookie = { priority } as never;
    expect(readOptions(given({ store, cookie }), () => {}).cookieOptions({} as never)).toBe(cookie);
  });

  test('cookie as a function of the request is asked for each', () => {
    const cookie = (req: { path: string }) => ({ path: req.path });
    const { cookieOptions } = readOptions(given({ store, cookie }), () => {});
    expect(cookieOptions({ path: '/a' } as never)).toEqual({ path: '/a' });
    expect(cookieOptions({ path: '/b' } as never)).toEqual({ path: '/b' });
  });

  test('secrets of every kind that signs', () => {
    const bytes = Buffer.from('keyboard cat');
    const secret = ['text', bytes, new Uint8Array(bytes), createSecretKey(bytes)];
    expect(readOptions(given({ store, secret }), () => {}).secrets).toEqual(secret);
  });

  test('genid', () => {
    const genid = (req: IncomingMessage) => `the id of ${req.url}`;
    expect(readOptions(given({ store, genid }), () => {}).genid({ url: '/a' } as IncomingMessage)).toBe(
      'the id of /a',
    );
  });

  test('ids of our own: 192 bits in base64url, never the same', () => {
    const { genid } = readOptions(given({ store }), () => {});
    const ids = Array.from({ length: 1000 }, () => genid({} as never));
    expect(ids.filter((id) => !/^[A-Za-z0-9_-]{32}$/.test(id))).toEqual([]);
    expect(new Set(ids).size).toBe(1000);
  });

  test('a store of its own where none is given', () => {
    const settings = readOptions(base, () => {});
    expect(settings.store).toBeInstanceOf(session.MemoryStore);
    (settings.store as session.MemoryStore).close();
  });

  test('the recommended ones', () => {
    const settings = readOptions({ ...recommended, secret: 'keyboard cat', store }, () => {});
    expect(settings).toMatchObject({
      resave: false,
      saveUninitialized: false,
      unset: 'destroy',
      saveFailure: 'error',
      clearCookie: true,
    });
    expect(Object.isFrozen(recommended)).toBe(true);
    expect(Object.isFrozen(recommended.cookie)).toBe(true);
    expect(session.recommended).toBe(recommended);
    expect(warnings).toEqual([]);
  });
});

describe('deprecations, in the words of express-session', () => {
  function told(options: SessionOptions): string[] {
    const messages: string[] = [];
    const { store } = readOptions(options, (message) => messages.push(message));
    (store as session.MemoryStore).close();
    return messages;
  }

  const resave = 'undefined resave option; provide resave option';
  const saveUninitialized = 'undefined saveUninitialized option; provide saveUninitialized option';
  const secret = 'req.secret; provide secret option';

  test.each<[string, SessionOptions, string[]]>([
    ['no options', {}, [resave, saveUninitialized, secret]],
    ['all that is asked for', base, []],
    ['no resave', { secret: 'x', saveUninitialized: true }, [resave]],
    ['no saveUninitialized', { secret: 'x', resave: true }, [saveUninitialized]],
    ['no secret', { resave: true, saveUninitialized: true }, [secret]],
    ['an empty secret', { resave: true, saveUninitialized: true, secret: '' }, [secret]],
  ])('%s', (_name, options, messages) => {
    expect(told(options)).toEqual(messages);
  });

  test('their defaults are those of express-session', () => {
    const settings = readOptions({}, () => {});
    expect(settings).toMatchObject({ resave: true, saveUninitialized: true, secrets: undefined });
    (settings.store as session.MemoryStore).close();
  });
});

describe('options that are unknown', () => {
  const store = new session.MemoryStore().setMaxListeners(0);
  afterAll(() => store.close());
  const link =
    ' (https://github.com/steady-session/steady-session/blob/main/docs/codes.md#warn_session_unknown_option)';

  test.each<[string, object, string]>([
    ['rollling', { rollling: true }, 'unknown option rollling is ignored; did you mean rolling?'],
    [
      'saveUninitialised',
      { saveUninitialised: true },
      'unknown option saveUninitialised is ignored; did you mean saveUninitialized?',
    ],
    ['Secret', { Secret: 'x' }, 'unknown option Secret is ignored; did you mean secret?'],
    ['cookies', { cookies: {} }, 'unknown option cookies is ignored; did you mean cookie?'],
    ['gen_id', { gen_id: 1 }, 'unknown option gen_id is ignored; did you mean genid?'],
    [
      'cookie.maxage',
      { cookie: { maxage: 1 } },
      'unknown option cookie.maxage is ignored; did you mean cookie.maxAge?',
    ],
    [
      'cookie.name',
      { cookie: { name: 'id' } },
      'unknown option cookie.name is ignored; did you mean name, beside cookie?',
    ],
    [
      'cookie.httponly',
      { cookie: { httponly: true } },
      'unknown option cookie.httponly is ignored; did you mean cookie.httpOnly?',
    ],
    [
      'cookie.same_site',
      { cookie: { same_site: 'lax' } },
      'unknown option cookie.same_site is ignored; did you mean cookie.sameSite?',
    ],
    ['maxAge', { maxAge: 1 }, 'unknown option maxAge is ignored; did you mean cookie.maxAge?'],
    ['httponly', { httponly: true }, 'unknown option httponly is ignored; did you mean cookie.httpOnly?'],
    ['secure', { secure: true }, 'unknown option secure is ignored; did you mean cookie.secure?'],
    ['keys', { keys: ['a'] }, 'unknown option keys is ignored; did you mean secret?'],
    ['sessionName', { sessionName: 'a' }, 'unknown option sessionName is ignored; did you mean name?'],
    ['generateId', { generateId: 1 }, 'unknown option generateId is ignored; did you mean genid?'],
    ['idleTimeout', { idleTimeout: 1 }, 'unknown option idleTimeout is ignored; did you mean ttl?'],
    [
      'disableTouch',
      { disableTouch: true },
      'unknown option disableTouch is ignored; did you mean touchAfter?',
    ],
    ['trustProxy', { trustProxy: true }, 'unknown option trustProxy is ignored; did you mean proxy?'],
    ['userId', { userId: 'a' }, 'unknown option userId is ignored; did you mean owner?'],
    [
      'prefix',
      { prefix: 'a' },
      'unknown option prefix is ignored; did you mean it for the store, as in `new RedisStore({ prefix })`?',
    ],
    ['signed', { signed: true }, 'unknown option signed is ignored; cookies are always signed: leave it out'],
    [
      'checkPeriod',
      { checkPeriod: 1 },
      'unknown option checkPeriod is ignored; expired sessions leave memory by themselves: leave it out',
    ],
    [
      'encrypt',
      { encrypt: 'key' },
      'unknown option encrypt is ignored; put it around the store: `store: encrypt(store, keys)`',
    ],
    [
      'origins',
      { origins: [] },
      'unknown option origins is ignored; give it to sessions.websocket() or sessions.socketio()',
    ],
  ])('%s: did you mean', (_name, options, message) => {
    session(given({ store, ...options }));
    expect(warnings).toEqual([['WARN_SESSION_UNKNOWN_OPTION', message + link]]);
  });

  test('of what a cookie function returns, when it is called', async () => {
    const cookie = () => ({ maxAgge: 1, path: '/' });
    const handler = session(given({ store, cookie }));
    expect(warnings).toEqual([]);
    for (const _ of [1, 2]) await request(handler);
    const message = 'unknown option cookie.maxAgge is ignored; did you mean cookie.maxAge?';
    expect(warnings).toEqual([['WARN_SESSION_UNKNOWN_OPTION', message + link]]);
  });

  test('all that there are types for are known', () => {
    const known: Record<keyof Required<SessionOptions>, true> = {
      ...{ secret: true, store: true, cookie: true, name: true, key: true, genid: true, proxy: true },
      ...{ resave: true, rolling: true, saveUninitialized: true, unset: true },
      ...{
        saveFailure: true,
        clearCookie: true,
        serializer: true,
        ttl: true,
        concurrency: true,
        merge: true,
      },
      ...{ onInterrupted: true, storeTimeout: true, onStoreDown: true, absoluteTimeout: true },
      ...{ touchAfter: true, rotateAfter: true, owner: true, rotateGrace: true, onReuse: true, touch: true },
      ...{ skip: true, trackCookie: true, resign: true, cachePrivate: true, expireStrays: true },
      ...{ storeUnreachable: true, largeSession: true },
    };
    expect([...OPTIONS].sort()).toEqual(Object.keys(known).sort());
  });

  test('one like no other: the known ones are named', () => {
    session(given({ store, zebra: 1 }));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.[1]).toMatch(
      /^unknown option zebra is ignored; known are: secret, store, cookie, name, key, genid, /,
    );
  });

  test('one like no other, of the cookie', () => {
    session(given({ store, cookie: { zebra: 1 } }));
    expect(warnings).toEqual([
      [
        'WARN_SESSION_UNKNOWN_OPTION',
        'unknown option cookie.zebra is ignored; known are: maxAge, expires, path, domain, httpOnly, secure, sameSite, ' +
          `partitioned, priority, signed, encode, originalMaxAge${link}`,
      ],
    ]);
  });

  test('each is told of once', () => {
    session(given({ store, proxi: true }));
    session(given({ store, proxi: true, unsett: 'keep' }));
    expect(warnings.map(([, message]) => message.split(' is ignored')[0])).toEqual([
      'unknown option proxi',
      'unknown option unsett',
    ]);
  });
});

test('times that are switched off: false, 0, null', () => {
  for (const off of [false, 0, null]) {
    const options = { touchAfter: off, rotateAfter: off, absoluteTimeout: off } as object;
    const settings = readOptions(given(options), () => {});
    expect(settings).toMatchObject({ touchAfter: 0, rotateAfter: 0, absoluteTimeout: 0 });
  }
});

describe('options that do not do what they look like', () => {
  const store = new session.MemoryStore().setMaxListeners(0);
  afterAll(() => store.close());
  const link = (code: string) =>
    ` (https://github.com/steady-session/steady-session/blob/main/docs/codes.md#${code.toLowerCase()})`;

  test.each<[object, string]>([
    [{ resave: 'false' }, 'resave is the text "false", which counts as true'],
    [{ rolling: 'no' }, 'rolling is the text "no", which counts as true'],
    [{ saveUninitialized: 'false' }, 'saveUninitialized is the text "false", which counts as true'],
    [{ proxy: 'yes' }, 'proxy is the text "yes", which counts as left out'],
    [{ cookie: { secure: 'yes' } }, 'cookie.secure is the text "yes", which counts as true'],
    [{ cookie: { httpOnly: 'false' } }, 'cookie.httpOnly is the text "false", which counts as true'],
  ])('a text in the place of true or false: %j', (options, says) => {
    const code = 'WARN_SESSION_TEXT_OPTION';
    for (const _ of [1, 2]) session(given({ store, ...options }));
    expect(warnings).toEqual([[code, `the option ${says}. Give it true or false.${link(code)}`]]);
  });

  test('a number of proxies, as Express\'s "trust proxy" takes one', () => {
    const code = 'WARN_SESSION_TEXT_OPTION';
    for (const _ of [1, 2]) session(given({ store, proxy: 1 }));
    const text = 'the option proxy is 1 (number), which counts as left out. Give it true or false.';
    expect(warnings).toEqual([[code, text + link(code)]]);
  });

  test.each<[string, object, string]>([
    [
      'ttl',
      { ttl: 3600 },
      '3600, in milliseconds: 3.6 seconds. If 3600 seconds were meant, give 3600 * 1000',
    ],
    ['absoluteTimeout', { absoluteTimeout: 604_800 }, '604800, in milliseconds: 604.8 seconds. If 604800 '],
    ['rotateAfter', { rotateAfter: 900 }, '900, in milliseconds: 0.9 seconds.'],
    ['touchAfter', { touchAfter: 1800, ttl: 5000 }, '1800, in milliseconds: 1.8 seconds.'],
    ['cookie.maxAge', { cookie: { maxAge: 86_400 } }, '86400, in milliseconds: 86.4 seconds.'],
  ])('%s that looks like seconds', (name, options, says) => {
    for (const _ of [1, 2]) session(given({ store, ...options }));
    expect(warnings).toEqual([
      ['WARN_SESSION_SECONDS', expect.stringContaining(`option ${name} is ${says}`)],
    ]);
  });

  test.each([1, 1000, 5000, 9000, 60_000, 3_600_000, 900_000, 1_209_600_000, -3600])(
    'one that does not: %d ms',
    (time) => {
      session(given({ store, cookie: { maxAge: time } }));
      expect(warnings.filter(([code]) => code === 'WARN_SESSION_SECONDS')).toEqual([]);
    },
  );

  test.each<[object, string, string]>([
    [{ skip: async () => false }, 'skip', 'true or false, at once; got an object (Promise)'],
    [
      { cookie: async () => ({ secure: true }) },
      'cookie',
      'an object of options, at once; got an object (Promise)',
    ],
    [{ cookie: () => undefined }, 'cookie', 'an object of options, at once; got undefined'],
    [{ cookie: () => null }, 'cookie', 'an object of options, at once; got null'],
  ])('a function that answers with what cannot be used: %p', async (options, name, says) => {
    const handler = session(given({ store, ...options }));
    await expect(request(handler)).rejects.toMatchObject({
      code: 'ERR_SESSION_OPTION',
      message: `the option ${name} must return ${says}`,
    });
  });

  test('touch that answers with a promise fails the request that it would have prolonged', async () => {
    const handler = session(given({ store, saveUninitialized: true, touch: async () => false }));
    const site = await serve('node:http', [handler, (_req, res) => res.end()]);
    const browser = new Browser(site);
    await browser.get('/');
    await browser.get('/');
    await closeSites();
    expect(site.errors).toMatchObject([{ code: 'ERR_SESSION_OPTION' }, { code: 'ERR_SESSION_OPTION' }]);
  });

  test.each<[object, string]>([
    [{ rotateGrace: 1000 }, 'rotateGrace'],
    [{ onReuse: 'revoke' }, 'onReuse'],
    [{ onReuse: 'revoke', rotateGrace: 1000, rotateAfter: 0 }, 'rotateGrace and onReuse'],
  ])('options of the rotation without one: %j', (options, names) => {
    const code = 'WARN_SESSION_NO_ROTATION';
    for (const _ of [1, 2]) session(given({ store, ...options }));
    const text = `without the option rotateAfter no id is replaced, so that ${names} does nothing. Set rotateAfter.`;
    expect(warnings).toEqual([[code, text + link(code)]]);
  });
});

describe('events that there are not', () => {
  const sessions = session(given({ store: new session.MemoryStore() }));
  const known =
    '"create", "load", "save", "touch", "destroy", "expire", "rotate", "reuse", "conflict", "interrupted", "error"';

  test.each<[unknown, string]>([
    ['created', ' (did you mean "create"?); got "created"'],
    ['zebra', '; got "zebra"'],
    [undefined, '; got undefined'],
  ])('%j', (name, end) => {
    for (const method of ['on', 'off'] as const) {
      const message = `${method}(): the event must be one of ${known}${end}`;
      expect(() => sessions[method](name as never, () => {})).toThrow(new TypeError(message));
    }
  });
});

describe('MemoryStore in production', () => {
  const environment = process.env['NODE_ENV'];
  afterEach(() => {
    process.env['NODE_ENV'] = environment;
  });
  const strong = { secret: '0123456789abcdefghijklmnopqrstuvwxyz' };

  test('is warned of, once, with what to do instead', () => {
    process.env['NODE_ENV'] = 'production';
    const store = new session.MemoryStore();
    session(given({ store, ...strong }));
    session(given({ store, ...strong }));
    store.close();
    expect(warnings).toEqual([
      [
        'WARN_SESSION_MEMORY_STORE',
        'MemoryStore is for development: it loses all sessions at a restart and serves one process only. ' +
          'Give session() a store that lasts, such as RedisStore, PostgresStore or SqliteStore. ' +
          '(https://github.com/steady-session/steady-session/blob/main/docs/codes.md#warn_session_memory_store)',
      ],
    ]);
  });
});
