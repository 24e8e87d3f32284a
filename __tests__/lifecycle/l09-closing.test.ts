import { EventEmitter, once } from 'node:events';
import { connect } from 'node:http2';
import { finished } from 'node:stream/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import express from 'express';
import session from '../../lib/index.js';
import { eventually } from '../support/async.js';
import { Browser, gate, RawClient, turn } from '../support/http.js';
import { baseOptions } from '../support/lifecycle.js';
import {
  answer500,
  closeSites,
  type ErrorHandler,
  type Handler,
  HTTP1_HOSTS,
  serve,
} from '../support/sites.js';
import { makeStore, STORES } from '../support/test-stores.js';

afterEach(closeSites);

/** Ways to close a connection in the same breath as its response is ended. */
const closings: Record<string, Handler> = {
  'req.destroy()': (req) => req.destroy(),
  'res.destroy()': (_req, res) => res.destroy(),
  'req.socket.destroy()': (req) => req.socket.destroy(),
  'req.socket.end()': (req) => req.socket.end(),
  'req.socket.destroySoon()': (req) => req.socket.destroySoon(),
  'req.socket.end() in a tick': (req) => process.nextTick(() => req.socket.end()),
  'req.socket.destroy() in a microtask': (req) => Promise.resolve().then(() => req.socket.destroy()),
  'server.closeAllConnections()': (req) => req.socket.server.closeAllConnections(),
};

const visits: Record<string, (session: any) => void> = {
  'a session that nobody looks at': () => {},
  'a changed session': (visited) => {
    visited.color = 'red';
  },
};

const noSessions: Handler = (req, _res, next) => {
  req.session = {};
  next();
};

async function answerOf(
  host: (typeof HTTP1_HOSTS)[number],
  sessions: Handler,
  handler: Handler,
): Promise<string> {
  const site = await serve(host, [sessions, handler]);
  const client = new RawClient(site.port);
  client.send('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n');
  return (await client.closed).replace(/\r\nSet-Cookie: [^\r]*/, '').replace(/\r\nDate: [^\r]*/, '');
}

describe.each(HTTP1_HOSTS)('%s', (host) => {
  const cases = STORES.flatMap((store) =>
    Object.keys(visits).flatMap((visit) =>
      Object.keys(closings).map((closing) => [store, visit, closing] as const),
    ),
  );

  test.each(cases)('L9: the response arrives: %s, %s, %s', async (store, visit, closing) => {
    const handler: Handler = (req, res) => {
      visits[visit]!(req.session);
      res.statusCode = 413;
      res.end('too large');
      closings[closing]!(req, res, () => {});
    };
    const plain = await answerOf(host, noSessions, handler);
    const { store: sessions, data, traffic } = makeStore(store);
    const ours = await answerOf(host, session({ ...baseOptions, store: sessions }), handler);
    expect(ours).toBe(plain);
    expect(ours).toContain('too large');
    await traffic.idle();
    expect(Object.values(data())).toEqual(visit === 'a changed session' ? [{ color: 'red' }] : []);
  });

  /** A client whose response waits for the store, and what closes its connection meanwhile. */
  async function whileHeld(close: (socket: any) => void) {
    const { store, traffic } = makeStore('text store');
    const save = traffic.hold('set');
    let socket: any;
    const site = await serve(host, [
      session({ ...baseOptions, store }),
      (req, res) => {
        req.session.color = 'red';
        socket = req.socket;
        res.end('text');
      },
    ]);
    const client = new RawClient(site.port).send('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await save.reached;
    close(socket);
    return { client, save, traffic };
  }

  test.each<[string, (socket: any) => void]>([
    ['destroy()', (socket) => socket.destroy()],
    ['end()', (socket) => socket.end()],
  ])('L9: %s of the connection, while the store is at work, waits for the response', async (_, close) => {
    const { client, save } = await whileHeld(close);
    save.open();
    expect(await client.closed).toMatch(/\r\n\r\ntext$/);
  });

  test('L9: it does not wait for long', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    let close: (() => void) | undefined;
    const { client, save, traffic } = await whileHeld((socket) => {
      close = () => socket.destroy();
    });
    close?.();
    await jest.advanceTimersByTimeAsync(500);
    close?.();
    await jest.advanceTimersByTimeAsync(499);
    const early = await Promise.race([client.closed, turn()]);
    await jest.advanceTimersByTimeAsync(1);
    jest.useRealTimers();
    expect(early).toBe(undefined);
    expect(await client.closed).toBe('');
    save.open();
    await traffic.idle();
  });

  test.each([
    ['garbage', 'GARBAGE\r\n\r\n'],
    ['a header that is too large', `GET / HTTP/1.1\r\nX-Large: ${'x'.repeat(20_000)}\r\n\r\n`],
  ])('L9: so does what Node.js cannot parse: %s', async (_, next) => {
    const { client, save } = await whileHeld(() => {});
    client.send(next);
    await turn();
    await turn();
    save.open();
    expect(await client.closed).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\ntext/);
  });

  test('L9: one that is lost is closed at once', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    const reset = Object.assign(new Error('reset'), { syscall: 'read' });
    const { client, save, traffic } = await whileHeld((socket) => socket.destroy(reset));
    expect(await client.closed).toBe('');
    jest.useRealTimers();
    save.open();
    await traffic.idle();
  });

  test('L8: to the code that destroys an ended response it looks destroyed, and to what comes later too', async () => {
    const looks: boolean[] = [];
    const site = await serve(host, [
      session({ ...baseOptions, store: makeStore('text store').store }),
      (_req, res) => {
        res.on('close', () => looks.push(res.destroyed));
        res.end('text');
        res.destroy();
        looks.push(res.destroyed);
      },
    ]);
    expect(await new RawClient(site.port).get('/').closed).toMatch(/text$/);
    await site.settled();
    expect(looks).toEqual([true, true]);
  });
});

describe.each(HTTP1_HOSTS)('%s', (host) => {
  test.each(['no-such-encoding', 'utf16'])('L9: end(text, %j) throws at once', async (encoding) => {
    const thrown: unknown[] = [];
    const handler: Handler = (_req, res) => {
      try {
        res.end('text', encoding);
      } catch (error) {
        thrown.push((error as NodeJS.ErrnoException).code);
        res.destroy();
      }
    };
    await answerOf(host, noSessions, handler);
    await answerOf(host, session({ ...baseOptions, store: makeStore('text store').store }), handler);
    expect(thrown).toEqual(['ERR_UNKNOWN_ENCODING', 'ERR_UNKNOWN_ENCODING']);
  });

  test.each(['', 'buffer', 'UTF-8', 'latin1', null, undefined])(
    'end(bytes, %j) stores the session',
    async (encoding) => {
      const { store, data } = makeStore('text store');
      const site = await serve(host, [
        session({ ...baseOptions, store }),
        (req, res) => {
          req.session.color = 'red';
          res.end(Buffer.from('text'), encoding);
        },
      ]);
      expect(await new RawClient(site.port).get('/').closed).toContain('text');
      expect(Object.values(data())).toEqual([{ color: 'red' }]);
    },
  );
});

test.each<[string, string, (req: any, res: any) => void]>([
  ['end(null, no encoding)', 'GET', (_req, res) => res.end(null, 'no-such')],
  ['end(callback, no encoding)', 'GET', (_req, res) => res.end(() => {}, 'no-such')],
  ["end('', no encoding)", 'GET', (_req, res) => res.end('', 'no-such')],
  ['end(text, no encoding) to HEAD', 'HEAD', (_req, res) => res.end('text', 'no-such')],
  [
    'end(text, no encoding) of a 304',
    'GET',
    (_req, res) => Object.assign(res, { statusCode: 304 }).end('text', 'no-such'),
  ],
  [
    'end(text, no encoding) of a 204',
    'GET',
    (_req, res) => Object.assign(res, { statusCode: 204 }).end('text', 'no-such'),
  ],
])('%s, where nothing is to be encoded, waits for the store', async (_name, method, end) => {
  const handler: Handler = (req, res) => {
    req.session.color = 'red';
    end(req, res);
  };
  const { store, traffic } = makeStore('text store');
  traffic.fail('set', new Error('away'));
  const site = await serve('node:http', [session({ ...baseOptions, store, saveFailure: 'error' }), handler]);
  const client = new RawClient(site.port);
  client.send(`${method} / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  expect(await client.closed).toMatch(/^HTTP\/1\.1 500 /);
});

describe("saveFailure: 'error'", () => {
  const GET = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';
  const UPLOAD = 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nthe first part';

  /** What a client gets whose session can't be stored, of an app that closes the connection in the same breath. */
  async function answerTo(request: string, closing: string, onError?: ErrorHandler): Promise<string> {
    const { store, traffic } = makeStore('text store');
    traffic.fail('set', new Error('away'));
    const handler: Handler = (req, res) => {
      req.session.color = 'red';
      res.statusCode = 413;
      res.end('too large');
      closings[closing]!(req, res, () => {});
    };
    const sessions = session({ ...baseOptions, store, saveFailure: 'error' });
    const site = await serve('node:http', [sessions, handler], onError);
    return new RawClient(site.port).send(request).closed;
  }

  test.each(Object.keys(closings))('%s closes the connection after the error page', async (closing) => {
    expect(await answerTo(GET, closing)).toMatch(/^HTTP\/1\.1 500 [\s\S]*error: away/);
  });

  const destroying = ['req.destroy()', 'req.socket.destroy()', 'req.socket.end()'];

  test.each(destroying)('%s during an upload: the error page arrives', async (closing) => {
    expect(await answerTo(UPLOAD, closing)).toMatch(/^HTTP\/1\.1 500 [\s\S]*error: away/);
  });

  test.each<[string, (req: any) => unknown]>([
    ['reads it', async (req) => req.toArray()],
    ['waits for its end', async (req) => finished(req)],
    ['listens', async (req) => once(req, 'close')],
  ])('an upload whose error handler %s: the connection is closed in the end', async (_, wait) => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    const waiting = gate();
    const answer = answerTo(UPLOAD, 'req.destroy()', (_error, req) => {
      Promise.resolve(wait(req)).catch(() => {});
      waiting.open();
    });
    await waiting.opened;
    await jest.advanceTimersByTimeAsync(4999);
    const early = await Promise.race([answer, turn()]);
    await jest.advanceTimersByTimeAsync(1);
    jest.useRealTimers();

    expect(early).toBe(undefined);
    expect(await answer).toBe('');
  });

  test('an error page may take longer than the connection would have waited for the store', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    const { store, traffic } = makeStore('text store');
    const save = traffic.hold('set');
    traffic.fail('set', new Error('away'));
    const told = gate();
    let socket: any;
    let answer: (() => void) | undefined;
    const site = await serve(
      'node:http',
      [
        session({ ...baseOptions, store, saveFailure: 'error' }),
        (req, res) => {
          ({ socket } = req);
          req.session.color = 'red';
          res.end('text');
        },
      ],
      (error, req, res) => {
        answer = () => answer500(error, req, res);
        told.open();
      },
    );
    const client = new RawClient(site.port).send(GET);
    await save.reached;
    socket.destroy();
    save.open();
    await told.opened;
    await jest.advanceTimersByTimeAsync(4999);
    answer?.();
    jest.useRealTimers();
    expect(await client.closed).toMatch(/error: away$/);
  });

  test('what closes the connection does so once', async () => {
    const { store, traffic } = makeStore('text store');
    traffic.fail('set', new Error('away'));
    const ended: unknown[] = [];
    const sessions = session({ ...baseOptions, store, saveFailure: 'error' });
    const site = await serve('node:http', [
      sessions,
      (req, res) => {
        req.session.color = 'red';
        res.end('text');
        req.socket.end('bye', (error: unknown) => ended.push(error ?? 'ended'));
      },
    ]);
    const received = await new RawClient(site.port).send(GET).closed;
    await site.settled();
    await turn();
    expect(received).toMatch(/error: awaybye$/);
    expect(ended).toEqual(['ended']);
  });

  test('a request that is there as a whole, and whatever else comes over the connection, can be read', async () => {
    let readable: unknown;
    await answerTo(GET, 'req.socket.destroy()', (error, req, res) => {
      ({ readable } = req.socket);
      answer500(error, req, res);
    });
    expect(readable).toBe(true);
  });

  test.each(destroying)(
    '%s during an upload: an error page that comes later arrives too',
    async (closing) => {
      const answerLater: ErrorHandler = async (error, req, res) => {
        await new Promise(setImmediate);
        answer500(error, req, res);
      };
      expect(await answerTo(UPLOAD, closing, answerLater)).toMatch(/^HTTP\/1\.1 500 [\s\S]*error: away/);
    },
  );

  describe.each([
    ['Express 5', express],
    ['Express 4', require('express4') as typeof express],
  ])('%s', (_name, make) => {
    test.each(destroying)(
      '%s during an upload: its own error page arrives, which waits for the end of a request',
      async (closing) => {
        const answerByExpress: ErrorHandler = (error, req, res) => {
          const app = make().set('env', 'test');
          app.use((_req, _res, next) => next(error));
          app(req, res);
        };
        expect(await answerTo(UPLOAD, closing, answerByExpress)).toMatch(
          /^HTTP\/1\.1 500 [\s\S]*Error: away/,
        );
      },
    );
  });
});

describe.each([
  ['Express 5', express],
  ['Express 4', require('express4') as typeof express],
])('%s, whose own error handler closes the connection of a response that has been ended', (_name, make) => {
  const answerOfExpress = async (
    sessions: any,
    fail: (next: (error: Error) => void) => void,
    body = 'text',
  ) => {
    const app = make().set('env', 'test');
    app.use(sessions, (req: any, res: any, next: any) => {
      req.session.color = 'red';
      res.set('Connection', 'close').send(body);
      fail(next);
    });
    const site = await serve('node:http', [(req, res) => app(req, res)]); // and without a `next`, so that Express handles errors
    return { client: new RawClient(site.port).get('/'), site };
  };

  test.each<[string, (next: (error: Error) => void) => void]>([
    [
      'throws',
      () => {
        throw new Error('after the end');
      },
    ],
    ['calls next(error)', (next) => next(new Error('after the end'))],
  ])('an app that %s has its response sent, and its session stored', async (_, fail) => {
    const { store, traffic, data } = makeStore('text store');
    const save = traffic.hold('set');
    const body = 'x'.repeat(20_000_000);
    const { client, site } = await answerOfExpress(session({ ...baseOptions, store }), fail, body);
    await save.reached;
    const destroy = jest.spyOn(site.sockets[0]!, 'destroy');
    await eventually(() => destroy.mock.calls[0]);
    save.open();
    expect((await client.closed).endsWith(`\r\n\r\n${body}`)).toBe(true);
    expect(Object.values(data())).toEqual([{ color: 'red' }]);
  });

  test('a response that could not be stored is sent to its end, however long it is', async () => {
    const { store, traffic } = makeStore('text store');
    traffic.fail('set', new Error('away'));
    const body = 'x'.repeat(20_000_000);
    const { client } = await answerOfExpress(session({ ...baseOptions, store }), () => {}, body);
    expect((await client.closed).endsWith(body)).toBe(true);
  });
});

test('what a response was ended with does not stay in memory as long as its connection', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let body: WeakRef<Buffer> | undefined;
  const site = await serve('node:http', [
    session({ ...baseOptions, store: makeStore('text store').store }),
    (req, res) => {
      req.session.color = 'red';
      const bytes = Buffer.alloc(1000, 'x');
      body = new WeakRef(bytes);
      res.end(bytes);
    },
  ]);
  const client = new RawClient(site.port).send('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await client.until('x'.repeat(1000));
  await site.settled();
  for (let turns = 0; turns < 10; turns++) await turn(); // nothing that is under way holds on to it
  collect();
  expect(body?.deref()).toBe(undefined);
  expect(site.sockets[0]?.destroyed).toBe(false);
});

test.each<[string, any[]]>([
  ['end()', []],
  ['end(text)', ['more']],
])(
  '%s that goes past the middleware in the same breath leaves a connection that can be closed',
  async (_name, args) => {
    const { store } = makeStore('text store');
    let socket: any;
    const site = await serve('node:http', [
      (req, res, next) => {
        socket = req.socket;
        Object.assign(req, { realEnd: res.end });
        next();
      },
      session({ ...baseOptions, store }),
      (req, res) => {
        res.on('error', () => {});
        res.end('text');
        req.realEnd.call(res, ...args);
      },
    ]);
    const client = new RawClient(site.port).send('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect(await client.closed).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    socket.destroy();
    expect(socket.destroyed).toBe(true);
  },
);

describe('an end that throws, and a connection that is closed in the same breath', () => {
  const request = async (onError?: ErrorHandler): Promise<RawClient> => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    const site = await serve(
      'node:http',
      [
        (_req, res, next) => {
          const { end } = res;
          res.end = () => {
            res.end = end;
            throw new Error('no end');
          };
          next();
        },
        session({ ...baseOptions, store: makeStore('text store').store }),
        (req, res) => {
          res.end('text');
          req.socket.destroy();
        },
      ],
      onError,
    );
    return new RawClient(site.port).send('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  };

  test('it is closed in the end, though nobody sends an error page', async () => {
    const told = gate();
    const client = await request(() => told.open());
    await told.opened;
    await jest.advanceTimersByTimeAsync(5000);
    jest.useRealTimers();
    expect(await client.closed).toBe('');
  });

  test('it is closed after the error page, which arrives', async () => {
    const client = await request();
    expect(await client.closed).toContain('error: no end');
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });
});

test('a failed save adds no listener to a response that has many', async () => {
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const { store, traffic } = makeStore('text store');
  traffic.fail('set', new Error('away'));
  const site = await serve('node:http', [
    session({ ...baseOptions, store }),
    (req, res) => {
      req.session.color = 'red';
      while (res.listenerCount('close') < res.getMaxListeners()) res.on('close', () => {});
      res.end('text');
    },
  ]);
  await new RawClient(site.port).get('/').closed;
  await eventually(() => site.errors[0]);
  const warnings = warn.mock.calls.map(([warning]) => String(warning));
  warn.mockRestore();
  expect(warnings.filter((text) => text.includes('MaxListeners'))).toEqual([]);
});

test.each([
  ['a second request that is none', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGARBAGE\r\n\r\n'],
  ['a bad chunk', 'POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n'],
])('%s is answered as by plain node:http', async (_name, request) => {
  const answer = async (sessions: Handler) => {
    const site = await serve('node:http', [sessions, (_req, res) => res.end('text')]);
    const received = await new RawClient(site.port).send(request).closed;
    return received.replace(/\r\nDate: [^\r]*/, '');
  };
  const plain = await answer(noSessions);
  expect(await answer(session({ ...baseOptions, store: makeStore('text store').store }))).toBe(plain);
});

test.each<[string, (res: any) => void]>([
  ['res.destroy()', (res) => res.destroy()],
  ['res.stream.close()', (res) => res.stream.close()],
  ['req.socket.destroy()', (res) => res.socket.destroy()],
])('http/2: %s in the same breath as the end', async (_name, close) => {
  const { store, data } = makeStore('text store');
  const site = await serve('http/2', [
    session({ ...baseOptions, store }),
    (req, res) => {
      req.session.color = 'red';
      res.end('text');
      close(res);
    },
  ]);
  expect(await new Browser(site).get('/')).toMatchObject({ status: 200, body: 'text' });
  expect(Object.values(data())).toEqual([{ color: 'red' }]);
});

test('http/2: the connection is destroyed in the same breath as the end: what arrives without sessions arrives', async () => {
  const answer = async (sessions: Handler) => {
    const site = await serve('http/2', [
      sessions,
      (_req, res) => {
        res.end('text');
        res.stream.session.destroy();
      },
    ]);
    const client = connect(`http://localhost:${site.port}`).on('error', () => {});
    const stream = client.request().setEncoding('utf8');
    const received: unknown[] = [];
    stream.on('response', (head) => received.push(head[':status']));
    stream.on('data', (text) => received.push(text));
    await once(stream, 'close');
    client.destroy();
    expect(site.errors).toEqual([]);
    return received;
  };
  const ours = await answer(session({ ...baseOptions, store: makeStore('text store').store }));
  expect(ours).toEqual(expect.arrayContaining(await answer(noSessions))); // all of it on Node.js 20 and 22, nothing on 24
});

test('http/2: a session that is destroyed later is destroyed at once', async () => {
  let http2: any;
  const site = await serve('http/2', [
    session({ ...baseOptions, store: makeStore('text store').store }),
    (_req, res) => {
      http2 = res.stream.session;
      res.end('text');
    },
  ]);
  await new Browser(site).get('/');
  http2.destroy();
  expect(http2.destroyed).toBe(true);
});

describe('a response of a test double, which has no head of its own', () => {
  /** As those of node-mocks-http in Express: all that is sent is kept, and `end()` doesn't call `writeHead()`. */
  class Double extends EventEmitter {
    statusCode = 200;
    headersSent = false;
    writableEnded = false;
    text = '';
    readonly headers = new Map<string, unknown>();
    readonly heads: unknown[] = [];
    getHeader = (name: string) => this.headers.get(name.toLowerCase());
    hasHeader = (name: string) => this.headers.has(name.toLowerCase());
    getHeaderNames = () => [...this.headers.keys()];
    setHeader = (name: string, value: unknown) => this.headers.set(name.toLowerCase(), value);
    removeHeader = (name: string) => this.headers.delete(name.toLowerCase());
    writeHead(status: number) {
      this.heads.push(status);
      this.headersSent = true;
    }
    _implicitHeader = () => this.writeHead(this.statusCode);
    write(text: string) {
      this.text += text;
    }
    flushHeaders() {}
    end(text = '') {
      this.text += text;
      this.emit('finish');
    }
  }

  test('is left alone where it has no way to make a head either', async () => {
    const sessions = session({ ...baseOptions, store: makeStore('text store').store });
    const req: any = Object.assign(new EventEmitter(), { url: '/', headers: {}, socket: {}, connection: {} });
    const res: any = new Double();
    res.writeHead = res._implicitHeader = undefined;
    const finished = once(res, 'finish');
    sessions(req, res, () => res.end('text'));
    await finished;
    expect(res.text).toBe('text');
  });

  test('gets its cookie', async () => {
    const { store, data } = makeStore('text store');
    const sessions = session({ ...baseOptions, store });
    const req: any = Object.assign(new EventEmitter(), { url: '/', headers: {}, socket: {}, connection: {} });
    const res: any = new Double();
    const finished = once(res, 'finish');
    sessions(req, res, () => {
      req.session.color = 'red';
      res.statusCode = 201;
      res.end('text');
    });
    await finished;
    expect(res.headers.get('set-cookie')).toEqual([expect.stringMatching(/^connect\.sid=s%3A/)]);
    expect(res.heads).toEqual([201]);
    expect(res.text).toBe('text');
    expect(Object.values(data())).toEqual([{ color: 'red' }]);
  });

  test('needs no more than an end', async () => {
    const { store, data } = makeStore('text store');
    const sessions = session({ ...baseOptions, store });
    const req: any = { url: '/', headers: {} };
    const texts: unknown[] = [];
    const res: any = { end: (text: string) => texts.push(text) };
    await new Promise((resolve) => sessions(req, res, resolve));
    req.session.color = 'red';
    res.end('text');
    await eventually(() => texts[0]);
    expect(texts).toEqual(['text']);
    expect(Object.values(data())).toEqual([{ color: 'red' }]);
  });

  test.each([{}, null, undefined])(
    'may be %p: the request has a session, and stores it when it says so',
    async (res) => {
      const { store, data } = makeStore('text store');
      const sessions = session({ ...baseOptions, store });
      const req: any = { url: '/', headers: {} };
      await new Promise((resolve) => sessions(req, res, resolve));
      req.session.color = 'red';
      await req.session.save();
      expect(Object.values(data())).toEqual([{ color: 'red' }]);
    },
  );
});
