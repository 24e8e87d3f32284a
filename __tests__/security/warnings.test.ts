import { execFile, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Compiled, compileLib, nodeModules } from '../support/compile.js';

jest.setTimeout(60_000);

let compiled: Compiled;
beforeAll(() => {
  compiled = compileLib();
});
afterAll(() => compiled.remove());

interface Warning {
  code: string;
  message: string;
}

/** What a program finds: the library, a way to ask an app for a page, and options that nothing is wrong with. */
const PRELUDE = `
const http = require('node:http');
const { once } = require('node:events');
const session = require('./lib/index.js');
const good = { secret: 'x7'.repeat(8) + 'y3'.repeat(16), resave: false, saveUninitialized: false };
const given = [];
process.on('warning', ({ code, message }) => given.push({ code, message }));
async function visit(handlers, { path = '/', headers = {}, times = 2 } = {}) {
  const server = http.createServer((req, res) => {
    const run = (index) => handlers[index]?.(req, res, (error) => {
      if (!error) return run(index + 1);
      res.statusCode = 500;
      res.end(error.message);
    });
    run(0);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  let last;
  for (let n = 0; n < times; n++) {
    last = await fetch('http://127.0.0.1:' + server.address().port + path, { headers });
    await last.text();
  }
  server.close();
  return last;
}
const write = (req, res) => { req.session.user = 'ada'; res.end(); };
const store = () => new session.MemoryStore();
`;

/** Runs a program and gives the warnings it has had. */
async function warningsOf(body: string, { production = false } = {}): Promise<Warning[]> {
  const file = join(compiled.dir, '..', `program${Math.random()}.js`);
  const end = `setImmediate(() => { console.log(JSON.stringify(given)); process.exit(); });`;
  writeFileSync(file, `${PRELUDE}(async () => {${body}\n${end}})();`);
  const { NODE_OPTIONS: _, ...rest } = process.env;
  const env = { ...rest, NODE_PATH: nodeModules, NODE_ENV: production ? 'production' : 'development' };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [file], { env }, (error, stdout) =>
      error ? reject(error) : resolve(JSON.parse(stdout)),
    );
  });
}

const link = (code: string) =>
  `(https://github.com/steady-session/steady-session/blob/main/docs/codes.md#${code.toLowerCase()})`;

interface Scene {
  code: string;
  /** What the text has to say: what is wrong, and what to do. */
  says: string[];
  program: string;
  production?: boolean;
}

const scenes: Scene[] = [
  {
    code: 'WARN_SESSION_MEMORY_STORE',
    says: ['MemoryStore is for development', 'RedisStore'],
    production: true,
    program: 'session(good); session(good);',
  },
  {
    code: 'WARN_SESSION_WEAK_SECRET',
    says: ['short or a placeholder', '32 random bytes'],
    production: true,
    program: `const others = { ...good, store: { get: async () => {}, set: async () => true, touch: async () => true, destroy: async () => {} } };
      session({ ...others, secret: 'x'.repeat(40) });
      session({ ...others, secret: 'a31b0c9d' });
      session({ ...others, secret: Buffer.alloc(31, 5) });
      session({ ...others, secret: 'please-change-me-in-production-please-please' });`,
  },
  {
    code: 'WARN_SESSION_NO_SECRET',
    says: ['given, but empty', 'environment variable'],
    program: `const { secret, ...others } = good;
      session(others);
      session({ ...others, secret: process.env.NO_SUCH_VARIABLE });
      session({ ...others, secret: '' });`,
  },
  ...["['']", "[good.secret, '']", "'   '", 'Buffer.alloc(0)', '[Buffer.alloc(0)]', 'new ArrayBuffer(0)'].map(
    (secret) => ({
      code: 'WARN_SESSION_NO_SECRET',
      says: ['a secret is empty', 'anybody can sign', 'environment variable'],
      program: `for (const n of [1, 2]) session({ ...good, secret: ${secret} });`,
    }),
  ),
  {
    code: 'WARN_SESSION_NOT_LISTABLE',
    says: ['owner is given', '`ids()` or `owned()`'],
    program: `const { get, set, touch, destroy } = store().texts;
      for (const n of [1, 2]) session({ ...good, owner: 'user', store: { get, set, touch, destroy } });
      session({ ...good, owner: 'user', store: store() });`,
  },
  {
    code: 'WARN_SESSION_TWO_LIFETIMES',
    says: ['both maxAge and expires', 'Give just maxAge'],
    program: `for (const n of [1, 2]) session({ ...good, cookie: { maxAge: 1000, expires: new Date() } });`,
  },
  {
    code: 'WARN_SESSION_NEEDS_SECURE',
    says: ["sameSite 'none' and partitioned but not secure", 'secure: true'],
    program: `for (const n of [1, 2]) session({ ...good, cookie: { sameSite: 'None', partitioned: true } });`,
  },
  {
    code: 'WARN_SESSION_UNKNOWN_OPTION',
    says: ['unknown option saveUninitialised', 'did you mean saveUninitialized?'],
    program: 'for (const n of [1, 2]) session({ ...good, saveUninitialised: false });',
  },
  {
    code: 'WARN_SESSION_TEXT_OPTION',
    says: ['resave is the text "false"', 'counts as true', 'Give it true or false'],
    program: "for (const n of [1, 2]) session({ ...good, resave: 'false' });",
  },
  {
    code: 'WARN_SESSION_SECONDS',
    says: ['ttl is 3600', '3.6 seconds', 'give 3600 * 1000'],
    program: 'for (const n of [1, 2]) session({ ...good, ttl: 3600 });',
  },
  {
    code: 'WARN_SESSION_NO_ROTATION',
    says: ['onReuse does nothing', 'Set rotateAfter'],
    program: "for (const n of [1, 2]) session({ ...good, onReuse: 'revoke' });",
  },
  {
    code: 'WARN_SESSION_NO_LIFETIME',
    says: ['cookie.maxAge is 0 ms', 'every request gets a new session', 'leave maxAge out'],
    program: 'for (const n of [1, 2]) session({ ...good, cookie: { maxAge: 0 } });',
  },
  {
    code: 'WARN_SESSION_TOUCH_AFTER',
    says: ['touchAfter is 1000 ms', 'not less than cookie.maxAge, 1000 ms', 'Set a shorter touchAfter'],
    program: 'for (const n of [1, 2]) session({ ...good, touchAfter: 1000, cookie: { maxAge: 1000 } });',
  },
  {
    code: 'WARN_SESSION_TOUCH_AFTER',
    says: ['touchAfter is 86400000 ms', 'not less than ttl, 86400000 ms'],
    program: 'session({ ...good, touchAfter: 86_400_000, cookie: { maxAge: null } });',
  },
  {
    code: 'WARN_SESSION_GENID',
    says: ['genid returned an object (Promise)', 'not stored', 'Return a text'],
    program: "await visit([session({ ...good, genid: async () => 'an id' }), write]);",
  },
  {
    code: 'WARN_SESSION_GENID',
    says: ['genid returned an empty text', 'each begins a new one', 'Return a text'],
    program: "await visit([session({ ...good, genid: () => '' }), write]);",
  },
  {
    code: 'WARN_SESSION_OWNER',
    says: ['owner gave an object (Object)', 'sessions.revoke()'],
    program: `const sessions = session({ ...good, owner: 'user' });
      await visit([sessions, (req, res) => { req.session.user = { id: 7 }; res.end(); }]);
      await sessions.revoke(7);`,
  },
  {
    code: 'WARN_SESSION_INSECURE_REQUEST',
    says: ['was not sent', '"trust proxy"', 'proxy: true', "secure: 'auto'"],
    program: 'await visit([session({ ...good, cookie: { secure: true } }), write]);',
  },
  {
    code: 'WARN_SESSION_INSECURE_REQUEST',
    says: [
      'the cookie __Host-id was sent without Secure',
      'because of its name',
      '"trust proxy"',
      'another name',
    ],
    program: "await visit([session({ ...good, name: '__Host-id', cookie: { secure: 'auto' } }), write]);",
  },
  {
    code: 'WARN_SESSION_INSECURE_REQUEST',
    says: ['without Secure, though', 'X-Forwarded-Proto: https', '"trust proxy"', 'proxy: false'],
    program: `const headers = { 'x-forwarded-proto': 'https, http' };
      await visit([session({ ...good, cookie: { secure: 'auto' } }), write], { headers });`,
  },
  {
    code: 'WARN_SESSION_INSECURE_REQUEST',
    says: ['without Secure over HTTPS', 'began over plain HTTP', 'req.session.regenerate()'],
    program: `const sessions = session({ ...good, rolling: true, cookie: { secure: 'auto' } });
      const trusted = (req, res, next) => {
        req.secure = req.headers['x-forwarded-proto'] === 'https'; // as Express has it, with "trust proxy"
        next();
      };
      const begun = await visit([trusted, sessions, write], { times: 1 });
      const cookie = begun.headers.get('set-cookie').split(';')[0];
      const headers = { cookie, 'x-forwarded-proto': 'https' };
      await visit([trusted, sessions, write], { headers });
      const login = async (req, res) => { await req.session.regenerate(); res.end(); };
      const { headers: renewed } = await visit([trusted, sessions, login], { headers, times: 1 });
      if (!/; Secure/.test(renewed.get('set-cookie'))) throw new Error('not cured');`,
  },
  {
    code: 'WARN_SESSION_ORIGIN',
    says: ['"http://localhost:5173" was refused with 403', 'another port', '{ origins: [...] }'],
    program: `const { WebSocket, WebSocketServer } = require('ws');
      const server = http.createServer().listen(0, '127.0.0.1');
      session(good).websocket(new WebSocketServer({ server }));
      await once(server, 'listening');
      for (const origin of ['http://localhost:5173', 'http://other.example'])
        await once(new WebSocket('ws://127.0.0.1:' + server.address().port, { origin }), 'error');`,
  },
  {
    code: 'WARN_SESSION_MOUNTED_TWICE',
    says: ['two session middlewares with the cookie name connect.sid', 'Mount it once'],
    program:
      'await visit([session({ ...good, store: store() }), session({ ...good, store: store() }), write]);',
  },
  {
    code: 'WARN_SESSION_PARSER_SECRET',
    says: ['another secret', 'Give both the same'],
    program: `await visit([require('cookie-parser')('other'), session(good), write]);`,
  },
  {
    code: 'WARN_SESSION_COOKIE_SIZE',
    says: ['connect.sid has 5', '4096', 'Shorten what genid returns'],
    program: `await visit([session({ ...good, genid: () => 'x'.repeat(5000) }), write]);`,
  },
  {
    code: 'WARN_SESSION_UNREACHABLE',
    says: ['after the headers had left', 'it was stored, but nobody can reach it', 'before the first write'],
    program: `await visit([session(good), (req, res) => { res.write('a'); req.session.user = 'ada'; res.end(); }]);`,
  },
  {
    code: 'WARN_SESSION_RECORD_SIZE',
    says: ['more than 10', 'Keep large things elsewhere'],
    program: 'await visit([session({ ...good, largeSession: 10 }), write]);',
  },
  {
    code: 'WARN_SESSION_LATE_CHANGE',
    says: ['after its response was over', 'req.session.save()'],
    program: `await visit([session(good), (req, res) => {
        req.session.user = 'ada';
        res.on('close', () => setTimeout(() => { req.session.late = 1; }, 20));
        res.end();
      }]);
      await new Promise((resolve) => setTimeout(resolve, 2500));`,
  },
  {
    code: 'WARN_SESSION_STORE_DOWN',
    says: ['disconnected', "onStoreDown: 'error'"],
    program: `const memory = store();
      const sessions = session({ ...good, store: memory });
      memory.emit('disconnect');
      await visit([sessions, (req, res) => res.end()]);`,
  },
  {
    code: 'WARN_SESSION_ERROR',
    says: ['a stored session is unusable'],
    program: `const memory = store();
      const sessions = session({ ...good, store: memory });
      const { signatureOf } = require('./lib/cookies/signature.js');
      await memory.set('id', 'no JSON', { expires: Date.now() + 60000 });
      const cookie = 'connect.sid=' + encodeURIComponent('s:id.' + signatureOf('id', good.secret));
      await visit([sessions, (req, res) => res.end()], { headers: { cookie } });`,
  },
  {
    code: 'WARN_SESSION_DECRYPT',
    says: ['could not be decrypted', 'it counts as no session'],
    program: `const inner = store();
      await inner.set('id', 'no secret', { expires: Date.now() + 60000 });
      const encrypted = session.encrypt(inner, Buffer.alloc(32));
      for (const n of [1, 2]) await encrypted.get('id');`,
  },
];

describe.each(scenes)('$code', ({ code, says, program, production = false }) => {
  test('is given once, tells what to do, and has its help link', async () => {
    const warnings = await warningsOf(program, { production });
    expect(warnings.map((warning) => warning.code)).toEqual([code]);
    for (const text of says) expect(warnings[0]?.message).toContain(text);
    expect(warnings[0]?.message.endsWith(link(code))).toBe(true);
  });
});

test('a warning is silenced by its code', () => {
  const { program } = scenes.find(({ code }) => code === 'WARN_SESSION_TWO_LIFETIMES')!;
  const file = join(compiled.dir, '..', 'silenced.js');
  writeFileSync(file, `${PRELUDE}${program}`);
  const { NODE_OPTIONS: _, ...rest } = process.env;
  const printed = (...args: string[]) =>
    spawnSync(process.execPath, [...args, file], {
      env: { ...rest, NODE_PATH: nodeModules },
      encoding: 'utf8',
    }).stderr;
  expect(printed()).toContain('WARN_SESSION_TWO_LIFETIMES');
  expect(printed('--disable-warning=WARN_SESSION_TWO_LIFETIMES')).toBe('');
});

describe('nothing is warned of', () => {
  test.each([
    [
      'in production, with a good secret and a store that lasts',
      `session({ ...good, store: { get: async () => {}, set: async () => true, touch: async () => true, destroy: async () => {} } });`,
      true,
    ],
    [
      'during development, with the MemoryStore and a short secret',
      `session({ ...good, secret: 'short' }); await visit([session(good), write]);`,
      false,
    ],
    [
      "over HTTP with secure: 'auto'",
      `await visit([session({ ...good, cookie: { secure: 'auto' } }), write]);`,
      false,
    ],
    [
      "over HTTP with secure: 'auto' and proxies that are not to be trusted",
      `const headers = { 'x-forwarded-proto': 'https' };
      await visit([session({ ...good, proxy: false, cookie: { secure: 'auto' } }), write], { headers });`,
      false,
    ],
    [
      'behind a proxy that is trusted, and with a cookie that need not be secure',
      `const headers = { 'x-forwarded-proto': 'https' };
      await visit([session({ ...good, name: '__Host-id', proxy: true, cookie: { secure: 'auto' } }), write], { headers });
      await visit([session(good), write], { headers });`,
      false,
    ],
    [
      'of a page that the app itself refuses',
      `const { WebSocket, WebSocketServer } = require('ws');
      const server = http.createServer().listen(0, '127.0.0.1');
      session(good).websocket(new WebSocketServer({ server }), { origins: () => false });
      await once(server, 'listening');
      const origin = 'http://other.example';
      await once(new WebSocket('ws://127.0.0.1:' + server.address().port, { origin }), 'error');`,
      false,
    ],
    [
      'of a cookie whose name and value have as many bytes as browsers keep',
      `const { signatureOf } = require('./lib/cookies/signature.js');
      let id = '';
      const sent = () => ('connect.sid' + encodeURIComponent('s:' + id + '.' + signatureOf(id, good.secret))).length;
      for (const letter of 'abcdefghijkl') {
        for (id = letter.repeat(3900); sent() < 4096; ) id += letter;
        if (sent() === 4096) break; // else its signature has just become longer
      }
      const last = await visit([session({ ...good, genid: () => id }), write]);
      const [pair] = last.headers.get('set-cookie').split(';');
      if (pair.replace('=', '').length !== 4096) throw new Error('It has ' + pair.length);`,
      false,
    ],
    [
      'with two middlewares under names of their own',
      `await visit([session(good), session({ ...good, name: 'other' }), write]);`,
      false,
    ],
    [
      'with the secret of cookie-parser',
      `await visit([require('cookie-parser')(good.secret), session(good), write]);`,
      false,
    ],
  ])('%s', async (_, program, production) => {
    expect(await warningsOf(program, { production })).toEqual([]);
  });
});

test('an unreachable session is dropped under recommended, and the text says so', async () => {
  const [warning] = await warningsOf(
    `await visit([session({ ...good, storeUnreachable: false }), (req, res) => { res.write('a'); req.session.user = 'ada'; res.end(); }]);`,
  );
  expect(warning?.message).toContain('it was not stored.');
});

test.each([
  ['listener for events', `sessions.on('create', fail);`],
  [
    'subscriber to their channels',
    `require('diagnostics_channel').subscribe('steady-session:event:create', fail);`,
  ],
])('what a %s throws is an uncaught exception, and the request goes on', async (_, listen) => {
  const seen = await warningsOf(`
    process.on('uncaughtException', (error) => given.push({ code: 'uncaught', message: error.message }));
    const sessions = session(good);
    const fail = () => { throw new Error('of its own'); };
    ${listen}
    const answer = await visit([sessions, write], { times: 1 });
    given.push({ code: String(answer.status), message: typeof answer.headers.get('set-cookie') });`);
  expect(seen).toEqual([
    { code: 'uncaught', message: 'of its own' },
    { code: '200', message: 'string' },
  ]);
});

test('there is an end to texts that differ, as those of errors may', async () => {
  const given = await warningsOf(`const { warnOnce } = require('./lib/warnings.js');
    for (let n = 0; n < 250; n++) warnOnce('WARN_SESSION_ERROR', 'text ' + n);
    for (let n = 0; n < 250; n++) warnOnce('WARN_SESSION_ERROR', 'text ' + n);`);

  const texts = Array.from({ length: 100 }, (_, n) => `text ${n} ${link('WARN_SESSION_ERROR')}`);
  expect(given.map(({ message }) => message)).toEqual(texts);
});

test('a session that can not even be looked at after its response ends nothing, and hides no other', async () => {
  const warnings = await warningsOf(`
    const sessions = session(good);
    const late = (change) => (req, res) => {
      req.session.user = 'ada';
      res.on('close', () => setTimeout(() => change(req), 20));
      res.end();
    };
    const patience = new Promise((resolve) => setTimeout(resolve, 10000));
    const warned = once(process, 'warning');
    await visit([sessions, late((req) => { req.session.last = req; })], { times: 1 }); // is circular
    await visit([sessions, late((req) => { req.session.last = 1; })], { times: 1 });
    await Promise.race([warned, patience]);`);

  expect(warnings.map(({ code }) => code)).toEqual(['WARN_SESSION_LATE_CHANGE']);
});
