import express from 'express';
import session from '../../lib/index.js';
import { eventually } from '../support/async.js';
import { Browser, gate, RawClient, turn } from '../support/http.js';
import { baseOptions, begin, combine, type Fixture, start as startSite } from '../support/lifecycle.js';
import {
  closeSites,
  type ErrorHandler,
  type Handler,
  HOSTS,
  HTTP1_HOSTS,
  redirect,
  serve,
} from '../support/sites.js';
import { GATED_STORES, makeStore, type Operation, STORES } from '../support/test-stores.js';

afterEach(closeSites);

const failure = new Error('the store is on fire');

/** What an app does, and the call of the store that fails. */
interface Case {
  name: string;
  handler: Handler;
  fails: Operation;
  /** What the client gets where the failure is passed by. */
  status: number;
}

const changed: Case[] = [
  {
    name: 'a change and end(text)',
    handler: (req, res) => {
      req.session.color = 'red';
      res.end('as written');
    },
    fails: 'set',
    status: 200,
  },
  {
    name: 'a change and a redirect',
    handler: (req, res) => {
      req.session.color = 'red';
      redirect(res, '/next');
    },
    fails: 'set',
    status: 302,
  },
];

const cases: Case[] = [
  ...changed,
  { name: 'a touch', handler: (_req, res) => res.end('as written'), fails: 'touch', status: 200 },
  {
    name: 'clear()',
    handler: (req, res) => {
      req.session.clear();
      res.end('as written');
    },
    fails: 'destroy',
    status: 200,
  },
  {
    name: 'unset',
    handler: (req, res) => {
      req.session = null;
      res.end('as written');
    },
    fails: 'destroy',
    status: 200,
  },
];

describe.each(combine(HOSTS, GATED_STORES))('%s, %s', (host, store) => {
  describe("saveFailure: 'pass', the default", () => {
    const start = (handler: Handler, onError?: ErrorHandler): Promise<Fixture> =>
      startSite({
        host,
        store,
        options: { unset: 'destroy' },
        after: [handler],
        ...(onError && { onError }),
      });

    test.each(cases)(
      'L7: the response as written, then the error: $name',
      async ({ handler, fails, status }) => {
        let headersSent: unknown;
        const fixture = await start(handler, (_error, _req, res) => {
          headersSent = res.headersSent;
        });
        await begin(fixture);
        fixture.traffic.fail(fails, failure);
        const answer = await fixture.browser.get('/');
        expect(answer.status).toBe(status);
        expect(answer.body).toBe(status === 302 ? 'Found. Redirecting to /next' : 'as written');
        expect(answer.headers['location']).toBe(status === 302 ? '/next' : undefined);
        await fixture.settled();
        expect(fixture.site.errors).toEqual([failure]);
        expect(headersSent).toBe(true);
        expect(fixture.traffic.count(fails)).toBe(1);
      },
    );

    test('L7: a new session gets its cookie although it could not be stored', async () => {
      const fixture = await start(changed[0]!.handler);
      fixture.traffic.fail('set', failure);
      const { setCookie, body } = await fixture.browser.get('/');
      expect(body).toBe('as written');
      expect(setCookie).toHaveLength(1);
      await fixture.settled();
      expect(fixture.site.errors).toEqual([failure]);
      expect(fixture.data()).toEqual({});
    });

    test('L7: data that cannot be serialized: the response as written, then one error', async () => {
      const fixture = await start((req, res) => {
        req.session.self = req.session;
        res.end('as written');
      });
      const reported: unknown[] = [];
      fixture.sessions.on('error', ({ error }) => reported.push(String(error)));
      await begin(fixture);
      const answer = await fixture.browser.get('/');
      expect(answer.body).toBe('as written');
      await fixture.settled();
      expect(fixture.site.errors).toEqual([expect.objectContaining({ name: 'TypeError' })]);
      expect(String(fixture.site.errors[0])).toContain('Converting circular structure to JSON');
      expect(reported).toEqual([]);
      expect(fixture.onlyData()).toEqual({ user: 'ada' });
    });
  });

  test('L7: the error reaches the app, though the client has left before', async () => {
    const fixture = await startSite({
      host,
      store,
      after: [
        (req, res) => {
          req.session.color = 'red';
          res.on('close', () => left.open());
          res.end('as written');
        },
      ],
    });
    const left = gate();
    const save = fixture.traffic.hold('set');
    fixture.traffic.fail('set', failure);
    const exchange = fixture.browser.start('/');
    exchange.answer.catch(() => {});
    await save.reached;
    exchange.leave();
    await left.opened;
    save.open();
    await eventually(() => fixture.site.errors[0]);
    expect(fixture.site.errors).toEqual([failure]);
  });

  describe("saveFailure: 'error'", () => {
    const start = (handler: Handler, onError?: ErrorHandler): Promise<Fixture> =>
      startSite({
        host,
        store,
        options: { unset: 'destroy', saveFailure: 'error' },
        after: [handler],
        ...(onError && { onError }),
      });

    test.each(cases)("L7: the app's error handler answers: $name", async ({ handler, fails }) => {
      const fixture = await start(handler);
      await begin(fixture);
      fixture.traffic.fail(fails, failure);
      const answer = await fixture.browser.get('/');
      expect(answer.status).toBe(500);
      expect(answer.body).toBe('error: the store is on fire');
      expect(answer.setCookie).toEqual([]);
      expect(answer.headers['location']).toBeUndefined();
      expect(fixture.site.errors).toEqual([failure]);
      expect(fixture.traffic.count(fails)).toBe(1);
      await fixture.settled();
      expect(fixture.onlyData()).toEqual({ user: 'ada' });
      expect(fixture.traffic.count(fails)).toBe(1);
    });

    test.each(changed)('L7: nothing of a new session is left: $name', async ({ handler }) => {
      const fixture = await start(handler);
      fixture.traffic.fail('set', failure);
      const answer = await fixture.browser.get('/');
      expect(answer.status).toBe(500);
      expect(answer.setCookie).toEqual([]);
      expect(fixture.data()).toEqual({});
    });

    test('L7: to the error handler the response looks as if not ended', async () => {
      let looks: unknown;
      const fixture = await start(
        (req, res) => {
          req.session.color = 'red';
          res.statusCode = 201;
          res.end('as written');
        },
        (_error, _req, res) => {
          looks = { headersSent: res.headersSent, writableEnded: res.writableEnded, status: res.statusCode };
          res.statusCode = 503;
          res.setHeader('X-Set', 'by the error handler');
          res.end('sorry');
        },
      );
      fixture.traffic.fail('set', failure);
      const answer = await fixture.browser.get('/');
      expect(looks).toEqual({ headersSent: false, writableEnded: false, status: 500 });
      expect(answer).toMatchObject({
        status: 503,
        body: 'sorry',
        headers: { 'x-set': 'by the error handler' },
      });
    });

    test('L7: the page of another error is not taken back', async () => {
      const fixture = await start(
        (req) => {
          req.session.color = 'red';
          throw new Error('on its own');
        },
        (error, _req, res) => {
          if (res.headersSent) return;
          res.statusCode = 503;
          res.end(`sorry: ${error.message}`);
        },
      );
      await begin(fixture);
      fixture.traffic.fail('set', failure);
      const answer = await fixture.browser.get('/');
      expect(answer).toMatchObject({ status: 503, body: 'sorry: on its own', setCookie: [] });
      await fixture.settled();
      expect(fixture.site.errors).toEqual([
        new Error('on its own'),
        ...(host.startsWith('express') ? [] : [failure]),
      ]);
      expect(fixture.onlyData()).toEqual({ user: 'ada' });
    });

    test('L7: nor has it the cookie of a session that could not be stored', async () => {
      const fixture = await start((req, res) => {
        req.session.color = 'red';
        res.statusCode = 500;
        res.end('sorry');
      });
      fixture.traffic.fail('set', failure);
      expect(await fixture.browser.get('/')).toMatchObject({ status: 500, body: 'sorry', setCookie: [] });
      await fixture.settled();
      expect(fixture.data()).toEqual({});
    });

    test('L7: headers of the response that is dropped are not left, others are', async () => {
      const fixture = await start((req, res) => {
        req.session.color = 'red';
        res.setHeader('X-Request-Id', '7');
        res.setHeader('Vary', 'Accept');
        for (const name of representation) res.setHeader(name, sample[name] ?? '1');
        res.end('as written');
      });
      fixture.traffic.fail('set', failure);
      const { headers } = await fixture.browser.get('/');
      expect(headers).toMatchObject({ 'x-request-id': '7', vary: 'Accept' });
      expect(
        representation.filter((name) => headers[name] !== undefined && name !== 'content-length'),
      ).toEqual([]);
      expect(headers['content-length'] ?? '27').toBe('27');
    });

    test('L7: the error page has its own transfer coding', async () => {
      const fixture = await start((req, res) => {
        req.session.color = 'red';
        res.setHeader('Transfer-Encoding', 'chunked');
        res.end('as written');
      });
      fixture.traffic.fail('set', failure);
      const { headers, body } = await fixture.browser.get('/');
      expect(body).toBe('error: the store is on fire');
      expect(headers['transfer-encoding']).toBe(undefined);
    });

    test('L7: the error page may take its time, and the store may go on failing or hang', async () => {
      const fixture = await start(changed[0]!.handler, async (error, req, res) => {
        await turn();
        fixture.traffic.hold('set');
        req.session.seen = 'by the error handler';
        await turn();
        res.statusCode = 500;
        res.end(`late: ${error.message}`);
      });
      fixture.traffic.fail('set', failure);
      const answer = await fixture.browser.get('/');
      expect(answer).toMatchObject({ status: 500, body: 'late: the store is on fire', setCookie: [] });
      await fixture.settled();
      expect(fixture.traffic.calls).toEqual(['set']);
    });

    test('L7: data that cannot be serialized', async () => {
      const fixture = await start((req, res) => {
        req.session.big = 1n;
        res.end('as written');
      });
      await begin(fixture);
      const answer = await fixture.browser.get('/');
      expect(answer.status).toBe(500);
      expect(answer.body).toBe('error: Do not know how to serialize a BigInt');
      expect(fixture.site.errors).toHaveLength(1);
      expect(fixture.onlyData()).toEqual({ user: 'ada' });
    });

    test('L7: save(), not waited for', async () => {
      const fixture = await start((req, res) => {
        req.session.color = 'red';
        req.session.save();
        redirect(res, '/next');
      });
      await begin(fixture);
      fixture.traffic.fail('set', failure);
      const answer = await fixture.browser.get('/');
      expect(answer.status).toBe(500);
      expect(fixture.site.errors).toEqual([failure]);
      expect(fixture.onlyData()).toEqual({ user: 'ada' });
      expect(fixture.traffic.count('set')).toBe(2);
    });

    test('L7: a response that is under way is cut off, and the error handler told', async () => {
      let headersSent: unknown;
      const fixture = await start(
        (req, res) => {
          res.write('one');
          req.session.color = 'red';
          res.end('two');
        },
        (_error, _req, res) => {
          headersSent = res.headersSent;
        },
      );
      await begin(fixture);
      fixture.traffic.fail('set', failure);
      const exchange = fixture.browser.start('/');
      expect((await exchange.head).status).toBe(200);
      await expect(exchange.answer).rejects.toThrow(host === 'http/2' ? 'NGHTTP2_INTERNAL_ERROR' : 'aborted');
      await fixture.settled();
      expect(fixture.site.errors).toEqual([failure]);
      expect(headersSent).toBe(true);
    });

    test('L7: so is one whose headers had left before the sessions came to it', async () => {
      const fixture = await startSite({
        host,
        store,
        options: { saveFailure: 'error' },
        before: [
          (_req, res, next) => {
            res.flushHeaders();
            next();
          },
        ],
        after: [changed[0]!.handler],
      });
      await begin(fixture);
      fixture.traffic.fail('set', failure);
      const exchange = fixture.browser.start('/');
      const cutOff = expect(exchange.answer).rejects.toThrow(
        host === 'http/2' ? 'NGHTTP2_INTERNAL_ERROR' : 'aborted',
      );
      // HTTP/2 of Node.js 22 cuts a stream off before its head has gone out
      const status = exchange.head.then((head) => head.status);
      expect(await (host === 'http/2' ? status.catch(() => 200) : status)).toBe(200);
      await cutOff;
      await fixture.settled();
      expect(fixture.site.errors).toEqual([failure]);
      expect(fixture.onlyData()).toEqual({ user: 'ada' });
    });

    test('L7: the next request works when the store does', async () => {
      const fixture = await start(changed[0]!.handler);
      fixture.traffic.fail('set', failure);
      expect((await fixture.browser.get('/')).status).toBe(500);
      fixture.traffic.repair('set');
      expect(await fixture.browser.get('/')).toMatchObject({ status: 200, body: 'as written' });
      expect(fixture.onlyData()).toEqual({ color: 'red' });
    });
  });
});

describe.each(combine(HOSTS, STORES))('%s, %s', (host, store) => {
  test.each([undefined, 'error'] as const)(
    "L7: a save of the app's own that throws once it has passed the call on; saveFailure: %p",
    async (saveFailure) => {
      const fixture = await startSite({
        host,
        store,
        options: saveFailure ? { saveFailure } : {},
        after: [
          (req, res) => {
            const { save } = req.session;
            req.session.color = 'red';
            req.session.save = function (done: unknown) {
              save.call(this, done);
              throw failure;
            };
            res.end('as written');
          },
        ],
      });
      const { body } = await fixture.browser.get('/');
      await fixture.settled();
      expect(body).toBe(saveFailure === undefined ? 'as written' : 'error: the store is on fire');
      expect(fixture.site.errors).toEqual([failure]);
      expect(fixture.onlyData()).toEqual({ color: 'red' });
    },
  );
});

/** Headers that speak of the body which the app meant to send. */
const representation = [
  ...['location', 'etag', 'content-length', 'content-type', 'content-encoding', 'content-language'],
  ...['content-disposition', 'content-location', 'content-range', 'last-modified'],
  ...['cache-control', 'expires', 'age', 'cdn-cache-control', 'surrogate-control'],
  ...['content-digest', 'repr-digest', 'digest', 'content-md5', 'refresh', 'clear-site-data'],
  ...['x-accel-redirect', 'x-accel-expires', 'x-sendfile'],
];
const sample: Record<string, string> = { 'content-length': '10', etag: '"1"', location: '/next' };

describe.each(combine(HTTP1_HOSTS, GATED_STORES))("%s, %s, saveFailure: 'error'", (host, store) => {
  const start = (handler: Handler): Promise<Fixture> =>
    startSite({ host, store, options: { saveFailure: 'error' }, after: [handler] });

  test('L7: no byte has left when the store fails', async () => {
    const fixture = await start(changed[1]!.handler);
    const held = fixture.traffic.hold('set');
    fixture.traffic.fail('set', failure);
    const client = new RawClient(fixture.site.port).get('/');
    await held.reached;
    await turn();
    expect(fixture.site.sockets[0]?.bytesWritten).toBe(0);
    held.open();
    const received = await client.closed;
    expect(received).toMatch(/^HTTP\/1\.1 500 Internal Server Error\r\n/);
    // Chunked, where the response that was taken back had a Content-Length of its own.
    expect(received).toMatch(/\r\n\r\n(1b\r\n)?error: the store is on fire(\r\n0\r\n\r\n)?$/);
  });

  test('L7: writeHead() is taken back too, with its reason and headers', async () => {
    const fixture = await start((req, res) => {
      req.session.color = 'red';
      res.writeHead(302, 'Over There', { Location: '/next', 'Content-Length': 4, 'X-Custom': 'yes' });
      res.end('gone');
    });
    fixture.traffic.fail('set', failure);
    const received = await new RawClient(fixture.site.port).get('/').closed;
    expect(received).toMatch(/^HTTP\/1\.1 500 Internal Server Error\r\n/);
    expect(received).not.toMatch(/Over There|Location|X-Custom|gone/);
    expect(received).toMatch(/\r\nContent-Length: 27\r\n/);
  });

  test('L7: what else the app did with the response that was taken back fails only once all is over', async () => {
    const failures: unknown[] = [];
    const codes: unknown[] = [];
    const ended: unknown[] = [];
    const told = (error: any) => codes.push(error?.code);
    let readable: unknown;
    const fixture = await startSite({
      host,
      store,
      options: { saveFailure: 'error' },
      after: [
        (req, res) => {
          res.on('error', (error: Error) => failures.push(error));
          req.session.color = 'red';
          res.end('as written', (error: unknown) => ended.push(error));
          res.write('more', told);
          void Promise.resolve().then(() => res.write('more, and later', told));
        },
      ],
      onError: (_error, req, res) => {
        readable = req.socket.readable;
        res.statusCode = 500;
        res.end('sorry');
      },
    });
    fixture.traffic.fail('set', failure);
    const answer = await fixture.browser.get('/');
    await fixture.settled();
    expect(answer).toMatchObject({ status: 500, body: 'sorry' });
    expect(readable).toBe(true);
    expect(failures).toEqual([]);
    expect(ended).toEqual([failure]);
    expect(codes).toEqual(['ERR_STREAM_WRITE_AFTER_END', 'ERR_STREAM_WRITE_AFTER_END']);
  });

  test('L7: a response that is cut off has no regular end', async () => {
    const fixture = await start((req, res) => {
      res.write('one');
      req.session.color = 'red';
      res.end('two');
    });
    const held = fixture.traffic.hold('set');
    fixture.traffic.fail('set', failure);
    const client = new RawClient(fixture.site.port).get('/');
    await client.until('3\r\none\r\n');
    await held.reached;
    held.open();
    expect(await client.closed).toMatch(/\r\n\r\n3\r\none\r\n$/);
  });
});

describe.each(['express 5', 'express 4'] as const)('%s', (host) => {
  const express4 = require('express4') as typeof express;

  test.each(GATED_STORES)(
    "L7: without an error handler of the app's, Express answers 500: %s",
    async (name) => {
      const stored = makeStore(name);
      stored.traffic.fail('set', failure);
      const app = (host === 'express 4' ? express4 : express)();
      app.use(session({ ...baseOptions, saveFailure: 'error', store: stored.store }));
      app.use(((req, res) => {
        req.session.color = 'red';
        res.json({ as: 'written' });
      }) as Handler as never);
      const site = await serve('node:http', [(req, res) => app(req, res)]);
      const answer = await new Browser(site).get('/');
      expect(answer.status).toBe(500);
      expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
      expect(answer.headers['etag']).toBeUndefined();
      expect(answer.body).toContain('the store is on fire');
    },
  );

  test('L7: what res.json() and res.send() set is not left', async () => {
    const fixture = await startSite({
      host,
      store: 'callback store',
      options: { saveFailure: 'error' },
      after: [
        (req, res) => {
          req.session.color = 'red';
          res.attachment('list.json').json({ as: 'written' });
        },
      ],
      onError: (_error, _req, res) => res.end('sorry'),
    });
    fixture.traffic.fail('set', failure);
    const { status, headers, body } = await fixture.browser.get('/');
    const { date: _, connection: __, ...others } = headers;
    expect({ status, body }).toEqual({ status: 500, body: 'sorry' });
    expect(others).toEqual({ 'x-powered-by': 'Express', 'transfer-encoding': 'chunked' });
  });
});

describe("http/2, saveFailure: 'error'", () => {
  test.each(GATED_STORES)(
    'L7: writeHead() sends the headers, so that the response is cut off: %s',
    async (store) => {
      const fixture = await startSite({
        host: 'http/2',
        store,
        options: { saveFailure: 'error' },
        after: [
          (req, res) => {
            req.session.color = 'red';
            res.writeHead(200);
            res.end('as written');
          },
        ],
      });
      fixture.traffic.fail('set', failure);
      const exchange = fixture.browser.start('/');
      await expect(exchange.answer).rejects.toThrow('NGHTTP2_INTERNAL_ERROR');
      await fixture.settled();
      expect(fixture.site.errors).toEqual([failure]);
    },
  );
});
