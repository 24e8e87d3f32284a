/** Responses that are of Node.js in part only, or not at all: adapters to the Web's Response, and those that tests make up. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import express from 'express';
import session from '../../lib/index.js';
import { compileLib, nodeModules } from '../support/compile.js';
import { gate } from '../support/http.js';
import { SlowStore } from './slow-store.cjs';

const inProcess = require('in-process-request') as (
  app: express.Express,
) => (options: object) => Promise<any>;
const mocks = require('node-mocks-http') as any;

type Options = session.SessionOptions;
const options: Options = { secret: 'for a test only', resave: false, saveUninitialized: false };

const STORES: [string, () => Options][] = [
  ['the memory store', () => ({ ...options, store: new session.MemoryStore() })],
  ['a store that takes its time', () => ({ ...options, store: new SlowStore() })],
];

describe.each(STORES)('over %s', (_, settings) => {
  test.each<[string, (res: express.Response) => void]>([
    ['json()', (res) => void res.json('body')],
    ['end()', (res) => void res.end('body')],
    ['writeHead() and end()', (res) => void res.writeHead(200, { 'X-Own': '1' }).end('body')],
    [
      'write() and end()',
      (res) => {
        res.write('bo');
        res.end('dy');
      },
    ],
  ])('in-process-request: %s gets the cookie', async (_how, answer) => {
    const app = express();
    app.use(session(settings()));
    app.get('/', (req: any, res) => {
      res.setHeader('X-Found', String(req.session.user));
      req.session.user = 'ada';
      answer(res);
    });
    const visit = (headers: object) => inProcess(app)({ path: '/', method: 'GET', headers });

    const first = await visit({});
    expect(String(first.body).replaceAll('"', '')).toBe('body');
    expect(String(first.headers['set-cookie'])).toMatch(/^connect\.sid=s%3A/);
    const { headers } = await visit({ cookie: String(first.headers['set-cookie']).split(';')[0] });
    expect(headers['x-found']).toBe('ada');
  });

  test.each<[string, (req: object) => object]>([
    ['with a request', (req) => mocks.createResponse({ req, eventEmitter: require('node:events') })],
    ['without one', () => mocks.createResponse({ eventEmitter: require('node:events') })],
  ])('node-mocks-http, %s: writeHead() works', async (_how, make) => {
    const req = mocks.createRequest({ url: '/' });
    const res: any = make(req);
    const ended = new Promise((resolve) => res.on('end', resolve));
    session(settings())(req, res, () => {
      res.writeHead(201, { 'content-type': 'text/plain' });
      res.end('body');
    });
    await ended;

    expect([res.statusCode, res.getHeader('content-type'), res._getData()]).toEqual([
      201,
      'text/plain',
      'body',
    ]);
    expect(res.headersSent).toBe(true);
  });

  test.each(['Upgrade: h2c', 'no such header'])(
    'a response that is not of Node.js is one, whatever the client asks for: %s',
    async (header) => {
      const data = new session.MemoryStore();
      const req = request(header.startsWith('Upgrade') ? { upgrade: 'h2c' } : {});
      const res = new OwnResponse();
      session({ ...settings(), store: data })(req, res, () => {
        (req as any).session.user = 'ada';
        res.end('body');
      });

      expect(await res.text).toBe('body');
      expect(Object.values(data.sessions).map((text) => JSON.parse(text).user)).toEqual(['ada']);
    },
  );
});

/** What a program prints. Jest would not import ES modules. */
function outputOf(program: string): [string, string] {
  const compiled = compileLib();
  try {
    const file = join(compiled.dir, '..', 'program.mjs');
    writeFileSync(file, program);
    const env = { ...process.env, NODE_PATH: nodeModules };
    const { stdout, stderr } = spawnSync(process.execPath, [file], { env, encoding: 'utf8' });
    return [stdout, stderr];
  } finally {
    compiled.remove();
  }
}

const SRVX = `
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
const require = createRequire(import.meta.url);
const { toFetchHandler } = await import(pathToFileURL(require.resolve('srvx/node')));
const session = require('./lib/index.js');
const slow = { get: async () => {}, set: () => new Promise((done) => setImmediate(done, true)), touch: async () => true, destroy: async () => {} };
for (const store of [undefined, slow]) {
  const sessions = session({ secret: 'for a test only', resave: false, saveUninitialized: false, store });
  const handle = toFetchHandler((req, res) => sessions(req, res, () => {
    req.session.user = 'ada';
    res.setHeader('X-Own', '1');
    res.end('body');
  }));
  const { status, headers } = await handle(new Request('http://host/'));
  console.log(status, headers.get('x-own'), headers.getSetCookie().length, /^connect\\.sid=s%3A/.test(headers.get('set-cookie')));
}`;

test('srvx: a plain listener keeps its headers, and gets the cookie', () => {
  expect(outputOf(SRVX)).toEqual(['200 1 1 true\n200 1 1 true\n', '']);
});

const INJECT = `
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
const require = createRequire(import.meta.url);
const { default: inject } = await import(pathToFileURL(require.resolve('light-my-request')));
const onHeaders = require('on-headers');
const session = require('./lib/index.js');
const sessions = session({ secret: 'for a test only', resave: false, saveUninitialized: false });
const names = (headers) => Object.keys(headers).sort().join();
for (const user of [undefined, 'ada']) {
  const { statusCode, headers } = await inject((req, res) => sessions(req, res, () => {
    if (user) req.session.user = user;
    res.end();
  }), '/');
  console.log(statusCode, names(headers));
}
const late = [
  (req, res) => res.setHeader('Set-Cookie', 'lang=en'),
  (req) => Object.assign(req.session, { late: true }),
];
for (const listener of late) {
  const { headers } = await inject((req, res) => sessions(req, res, () => {
    if (listener === late[0]) req.session.user = 'ada';
    onHeaders(res, () => listener(req, res));
    res.end();
  }), '/');
  console.log([headers['set-cookie']].flat().map((line) => line.split('=')[0]).join());
}`;

test('light-my-request: the head is that of a response that is ended at once', () => {
  expect(outputOf(INJECT)).toEqual([
    '200 connection,date\n200 connection,date,set-cookie\nlang,connect.sid\nconnect.sid\n',
    '',
  ]);
});

const request = (headers: object) => ({ headers, url: '/', connection: {}, socket: {} }) as any;

/** As that of Sails' virtual requests: a stream with the few methods that it needs. */
class OwnResponse extends Transform {
  readonly headers: Record<string, unknown> = {};
  statusCode = 200;
  readonly text: Promise<string>;

  constructor() {
    super();
    let text = '';
    this.on('data', (chunk) => {
      text += chunk;
    });
    this.text = new Promise((resolve) => this.on('end', () => resolve(text)));
  }

  override _transform(chunk: unknown, _encoding: string, done: (error: null, chunk: unknown) => void): void {
    done(null, chunk);
  }

  setHeader(name: string, value: unknown): void {
    this.headers[name.toLowerCase()] = value;
  }

  getHeader(name: string): unknown {
    return this.headers[name.toLowerCase()];
  }

  removeHeader(name: string): void {
    delete this.headers[name.toLowerCase()];
  }

  writeHead(status: number, headers: Record<string, unknown> = {}): void {
    this.statusCode = status;
    Object.assign(this.headers, headers); // as it takes them: only `setHeader()` knows how they are to be written
  }

  _implicitHeader(): void {
    this.writeHead(this.statusCode);
  }
}

describe('a response with setHeader(), getHeader() and removeHeader() alone', () => {
  test.each<[string, (res: OwnResponse) => void, object]>([
    ['end()', (res) => res.end('body'), {}],
    [
      'writeHead() with headers',
      (res) => {
        res.writeHead(201, { 'x-own': '1' });
        res.end('body');
      },
      { 'x-own': '1' },
    ],
  ])('%s: the cookie is found under its name', async (_how, answer, headers) => {
    const res = new OwnResponse();
    const req = request({});
    session({ ...options, cachePrivate: true })(req, res, () => {
      req.session.user = 'ada';
      answer(res);
    });

    expect(await res.text).toBe('body');
    expect(res.headers).toEqual({
      ...headers,
      'set-cookie': [expect.stringMatching(/^connect\.sid=s%3A/)],
      'cache-control': 'private',
    });
  });

  test('whether it has finished, it may say itself', async () => {
    class Telling extends OwnResponse {
      get finished(): boolean {
        return this.writableEnded;
      }
    }
    const res = new Telling();
    const req = request({});
    session(options)(req, res, () => {
      req.session.user = 'ada';
      res.end('body');
    });

    expect(await res.text).toBe('body');
    expect(res.headers).toHaveProperty('set-cookie');
  });

  test("with saveFailure: 'error' the error handler answers", async () => {
    const failed = gate();
    const store = Object.assign(new SlowStore(), { set: () => Promise.reject(new Error('away')) });
    const res = new OwnResponse();
    const req = request({});
    session({ ...options, store, saveFailure: 'error' })(req, res, (error) => {
      if (error) {
        res.end(`error: ${error.message}`);
        failed.open();
        return;
      }
      req.session.user = 'ada';
      res.setHeader('Content-Type', 'text/html');
      res.end('body');
    });
    await failed.opened;

    expect(await res.text).toBe('error: away');
    expect([res.statusCode, res.headers]).toEqual([500, {}]);
  });
});
