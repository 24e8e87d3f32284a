import { Readable } from 'node:stream';
import { GET, play, type Recipe, type Sessions, type Stage } from '../support/comparison.js';
import { RawClient, turn } from '../support/http.js';
import { combine, start } from '../support/lifecycle.js';
import { ends, headers, heads, writes } from '../support/recipes.js';
import { closeSites, type Handler, HTTP1_HOSTS } from '../support/sites.js';
import { GATED_STORES, STORES, type StoreName } from '../support/test-stores.js';

const compression = require('compression') as (options?: object) => Handler;

afterEach(closeSites);

/** What may happen to the session before the response is made, and how many cookies that sends. */
const histories: [string, Omit<Sessions, 'store'>, number][] = [
  ['a new session, untouched', { known: false, act: () => {} }, 0],
  ['a new session, changed', { known: false, act: (session) => (session.color = 'red') }, 1],
  [
    'a new session, untouched, stored all the same',
    { known: false, act: () => {}, options: { saveUninitialized: true } },
    1,
  ],
  ['a stored session, untouched', { known: true, act: () => {} }, 0],
  ['a stored session, read', { known: true, act: (session) => session.user }, 0],
  ['a stored session, changed', { known: true, act: (session) => (session.color = 'red') }, 0],
  ['a stored session, rolling', { known: true, act: () => {}, options: { rolling: true } }, 1],
  ['a stored session, cleared', { known: true, act: (session) => session.clear() }, 1],
];

const recipes: Record<string, Recipe> = { ...ends, ...writes, ...heads, ...headers };

/** The session's cookie is the only difference to a plain server. */
async function compare(
  recipe: Recipe,
  stage: Stage,
  store: StoreName,
  history: (typeof histories)[number],
): Promise<void> {
  const [, sessions, cookies] = history;
  const plain = await play(recipe, stage);
  const ours = await play(recipe, stage, { ...sessions, store });
  expect(ours.wire).toBe(plain.wire);
  expect(ours.log).toEqual(plain.log);
  expect(ours.cookies).toHaveLength(cookies);
}

describe.each(histories)('%s', (...history) => {
  test.each(Object.entries(recipes))('L9: byte for byte as plain node:http: %s', async (_name, recipe) => {
    expect.hasAssertions();
    await compare(recipe, {}, 'callback store', history);
  });
});

const changed = histories[1]!;

describe.each(STORES)('%s', (store) => {
  test.each(Object.entries(recipes))('L9: byte for byte as plain node:http: %s', async (_name, recipe) => {
    await compare(recipe, {}, store, changed);
  });
});

/** What the client may ask for; each is answered before the connection is closed. */
const requests: Record<string, string> = {
  HEAD: 'HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
  'HTTP/1.0': 'GET / HTTP/1.0\r\nHost: localhost\r\n\r\n',
  'keep-alive': `GET / HTTP/1.1\r\nHost: localhost\r\n\r\n${GET}`,
  'three requests at once': `${'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(2)}${GET}`,
  'Expect: 100-continue':
    'POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody',
  POST: 'POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody',
};

const someRecipes: string[] = [
  ...['end()', 'end(text, encoding, callback)', 'end(a long text)', 'end() in a later turn'],
  ...[
    'write() of every kind, with callbacks, end(text, callback)',
    'a stream, piped',
    'cork(), write(), end()',
  ],
  ...[
    'writeHead(status, reason, headers)',
    'writeHead(status, flat list)',
    'writeHead() with Content-Length',
  ],
  ...['flushHeaders() and end(text)', 'Content-Length and end(text)', 'Content-Length, writes and end()'],
  ...['204', '304', 'a redirect', 'early hints'],
];

/** Those after which HTTP/1.0 keeps a connection open. */
const withLength: string[] = ['Content-Length and end(text)', 'Content-Length, writes and end()'];

describe.each(Object.entries(requests))('%s', (_name, request) => {
  test.each(someRecipes)('L9: byte for byte as plain node:http: %s', async (name) => {
    const recipe = recipes[name]!;
    const plain = await play(recipe, { request });
    for (const [, sessions] of [histories[0]!, histories[5]!]) {
      const ours = await play(recipe, { request }, { ...sessions, store: 'callback store' });
      expect(ours).toEqual({ ...plain, cookies: [] });
    }
  });
});

test.each(withLength)('L9: HTTP/1.0 with keep-alive, as plain node:http: %s', async (name) => {
  const request = `GET / HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n${GET}`;
  const plain = await play(recipes[name]!, { request });
  expect(plain.wire.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
  const [, stored] = histories[5]!;
  const ours = await play(recipes[name]!, { request }, { ...stored, store: 'callback store' });
  expect(ours).toEqual({ ...plain, cookies: [] });
});

const long = 'A line that compresses well.\n'.repeat(200);

const compressible: Record<string, Recipe> = {
  'end(long text)': ({ res, log }) => {
    res.setHeader('Content-Type', 'text/plain');
    log.attempt('end', () => res.end(long) !== undefined);
  },
  'end(short text)': ({ res, log }) => {
    res.setHeader('Content-Type', 'text/plain');
    log.attempt('end', () => res.end('short'));
  },
  'Content-Length and end(long text)': ({ res }) => {
    res.setHeader('Content-Type', 'text/plain');
    res.setHeader('Content-Length', long.length);
    res.end(long);
  },
  'writeHead() and end(long text)': ({ res }) => {
    res.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': long.length });
    res.end(long);
  },
  'write(), flush(), end()': async ({ res }) => {
    res.setHeader('Content-Type', 'text/plain');
    res.write(long);
    res.flush();
    await turn();
    res.end(long);
  },
  'flushHeaders(), end()': ({ res }) => {
    res.setHeader('Content-Type', 'text/plain');
    res.flushHeaders();
    res.end(long);
  },
  'a stream, piped': ({ res }) => {
    res.setHeader('Content-Type', 'text/plain');
    Readable.from([long, long]).pipe(res);
  },
  'not compressible': ({ res, log }) => {
    res.setHeader('Content-Type', 'image/png');
    log.attempt('end', () => res.end(long));
  },
  '304': ({ res, log }) => {
    res.statusCode = 304;
    log.attempt('end', () => res.end());
  },
};

describe.each(['gzip', 'br', 'deflate', 'identity'])('compression, %s', (encoding) => {
  const request = `GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept-Encoding: ${encoding}\r\n\r\n`;

  describe.each(['before', 'between'] as const)('mounted %s the sessions and the app', (where) => {
    test.each(Object.entries(compressible))(
      'L9: byte for byte as without sessions: %s',
      async (_name, recipe) => {
        const stage: Stage = { request, [where]: [compression()] };
        await compare(recipe, stage, 'callback store', changed);
        await compare(recipe, stage, 'callback store', histories[3]!);
      },
    );
  });

  test('L9: compression on both sides', async () => {
    const stage: Stage = { request, before: [compression()], between: [compression()] };
    await compare(compressible['end(long text)']!, stage, 'callback store', changed);
  });
});

/** What `compression` did before version 1.8: it asks for the headers where Node's own field says that there are none. */
const askForHeaders: Handler = (_req, res, next) => {
  const { end } = res;
  res.end = function (...args: unknown[]) {
    if (!this._header) this._implicitHeader();
    return end.apply(this, args);
  };
  next();
};

describe.each(['before', 'between'] as const)('older middleware, %s the sessions and the app', (where) => {
  test.each([
    'end()',
    'end(text, encoding, callback)',
    'writeHead(status, headers)',
    'flushHeaders() and end(text)',
  ])('L9: byte for byte as without sessions: %s', async (name) => {
    const stage: Stage = { [where]: [askForHeaders] };
    for (const history of histories) await compare(recipes[name]!, stage, 'callback store', history);
  });
});

/** The app ends its response by the method that it had before the sessions came. */
describe('an end() that was taken before', () => {
  const taking: Handler = (req, res, next) => {
    req.end = res.end.bind(res);
    next();
  };
  const stage: Stage = { before: [taking], request: requests['keep-alive']! };
  const pastUs: Record<string, Recipe> = {
    'end()': ({ req, log }) => log.attempt('end', () => req.end()),
    'end(text)': ({ req, log }) => log.attempt('end', () => req.end('text')),
    'end(Buffer, callback)': ({ req, log }) =>
      log.attempt('end', () => req.end(Buffer.from('text'), log.callback('end'))),
    'end() of a 204': ({ req, res, log }) => {
      res.statusCode = 204;
      log.attempt('end', () => req.end());
    },
    'end(text), and the end() of now': ({ req, res, log }) => {
      log.attempt('end', () => req.end('text'));
      log.attempt('end of now', () => res.end());
      log.note('state', res.finished, res.writableEnded, res.headersSent);
    },
    'end(text), and headers': ({ req, res, log }) => {
      log.attempt('end', () => req.end('text'));
      log.attempt('setHeader', () => res.setHeader('X-Late', '1'));
      log.attempt('writeHead', () => res.writeHead(404));
    },
  };

  test.each(Object.entries(pastUs))(
    'L9: byte for byte as without sessions, on a connection that is kept: %s',
    async (_name, recipe) => {
      const plain = await play(recipe, stage);
      expect(plain.wire.match(/HTTP\/1\.1 2/g)).toHaveLength(2);
      for (const [, sessions, cookies] of histories) {
        const ours = await play(recipe, stage, { ...sessions, store: 'callback store' });
        expect({ ...ours, cookies: ours.cookies.length }).toEqual({ ...plain, cookies: 2 * cookies });
      }
    },
  );

  test.each(STORES)('the session is stored when the response is over: %s', async (store) => {
    const fixture = await start({
      host: 'node:http',
      store,
      before: [taking],
      after: [
        (req) => {
          req.session.color = 'red';
          req.end('text');
        },
      ],
    });
    const { setCookie } = await fixture.browser.get('/');
    await fixture.settled();
    expect(setCookie).toEqual([expect.stringMatching(/^connect\.sid=/)]);
    expect(fixture.onlyData()).toEqual({ color: 'red' });
  });
});

describe.each(['express 5', 'express 4'] as const)('%s', (host) => {
  const sends: Record<string, Recipe> = {
    'send(text)': ({ res, log }) => log.attempt('send', () => res.send('text')),
    'send(Buffer)': ({ res, log }) => log.attempt('send', () => res.send(Buffer.from('text'))),
    'json()': ({ res, log }) => log.attempt('json', () => res.json({ a: [1, 2] })),
    'sendStatus()': ({ res, log }) => log.attempt('sendStatus', () => res.sendStatus(404)),
    'redirect()': ({ res, log }) => log.attempt('redirect', () => res.redirect('/next')),
    'cookie() and send()': ({ res, log }) => log.attempt('send', () => res.cookie('a', '1').send('text')),
    'sendFile()': ({ res }) => res.sendFile(__filename, { lastModified: false }),
    'render-like end()': ({ res, log }) => log.attempt('end', () => res.status(200).type('html').end('<p>')),
    'a fresh 304': ({ req, res, log }) => {
      req.headers['if-none-match'] = '*';
      log.attempt('send', () => res.send('text'));
    },
  };

  test.each(Object.entries(sends))('L9: byte for byte as without sessions: %s', async (_name, recipe) => {
    for (const history of histories) await compare(recipe, { host }, 'callback store', history);
  });
});

describe.each(combine(HTTP1_HOSTS, GATED_STORES))('%s, %s', (host, store) => {
  test.each<[string, Handler]>([
    ['end(text)', (_req, res) => res.end('text')],
    ['Content-Length and end(text)', (_req, res) => res.writeHead(200, { 'Content-Length': 4 }).end('text')],
    ['writeHead() and end(text)', (_req, res) => res.writeHead(200).end('text')],
    ['end()', (_req, res) => res.end()],
  ])('L9: a small response that waited for its save comes in one piece: %s', async (_name, end) => {
    const change: Handler = (req, _res, next) => {
      req.session.color = 'red';
      next();
    };
    const fixture = await start({ host, store, after: [change, end] });
    const client = new RawClient(fixture.site.port).get('/');
    await client.closed;
    expect(client.pieces).toBe(1);
    expect(fixture.onlyData()).toEqual({ color: 'red' });
  });
});
