import express from 'express';
import session from '../../lib/index.js';
import { Browser } from '../support/http.js';
import { baseOptions, begin, combine, type Fixture, start as startSite } from '../support/lifecycle.js';
import { closeSites, type ErrorHandler, type Handler, HOSTS, serve } from '../support/sites.js';
import { makeStore, STORES } from '../support/test-stores.js';

afterEach(closeSites);

const failure = new Error('of the app');

/** Ways to fail. */
const failures: Record<string, Handler> = {
  'throws ': () => {
    throw failure;
  },
  'calls next(error)': (_req, _res, next) => next(failure),
  'calls next(error) in a later turn': (_req, _res, next) => {
    setImmediate(next, failure);
  },
  'rejects ': async () => {
    await Promise.resolve();
    throw failure;
  },
};

describe.each(combine(HOSTS, STORES))('%s, %s', (host, store) => {
  // Express 4 knows nothing of promises.
  const cases = Object.entries(failures).filter(([name]) => host !== 'express 4' || name !== 'rejects ');

  describe.each(cases)('the handler changes the session and %s', (_name, fail) => {
    const changeAndFail: Handler = (req, res, next) => {
      req.session.before = 'the error';
      return fail(req, res, next);
    };
    const start = (onError?: ErrorHandler): Promise<Fixture> =>
      startSite({ host, store, after: [changeAndFail], ...(onError && { onError }) });

    test('L10: what changed before is stored', async () => {
      const fixture = await start();
      await begin(fixture);
      expect(await fixture.browser.get('/')).toMatchObject({ status: 500, body: 'error: of the app' });
      expect(fixture.onlyData()).toEqual({ user: 'ada', before: 'the error' });
      expect(fixture.site.errors).toEqual([failure]);
    });

    test('L10: a new session is stored, and its cookie sent', async () => {
      const fixture = await start();
      const { status, setCookie } = await fixture.browser.get('/');
      expect(status).toBe(500);
      expect(setCookie).toHaveLength(1);
      expect(fixture.onlyData()).toEqual({ before: 'the error' });
    });

    test('L10: what the error handler changes is stored too', async () => {
      const fixture = await start((error, req, res) => {
        req.session.flash = error.message;
        res.statusCode = 400;
        res.end('sorry');
      });
      await begin(fixture);
      expect(await fixture.browser.get('/')).toMatchObject({ status: 400, body: 'sorry' });
      expect(fixture.onlyData()).toEqual({ user: 'ada', before: 'the error', flash: 'of the app' });
    });
  });

  test('L10: an error in the middle of a stream that the error handler cuts off', async () => {
    const fixture = await startSite({
      host,
      store,
      after: [
        (req, res, next) => {
          res.write('one');
          req.session.before = 'the error';
          next(failure);
        },
      ],
      onError: (_error, _req, res) => res.destroy(failure),
    });
    await begin(fixture);
    const exchange = fixture.browser.start('/');
    await exchange.answer.catch(() => {});
    await fixture.settled();
    expect(fixture.onlyData()).toEqual({ user: 'ada', before: 'the error' });
  });

  test('L10: an error after the end', async () => {
    const fixture = await startSite({
      host,
      store,
      after: [
        (req, res, next) => {
          req.session.before = 'the error';
          res.end('text');
          next(failure);
        },
      ],
    });
    await begin(fixture);
    expect(await fixture.browser.get('/')).toMatchObject({ status: 200, body: 'text' });
    expect(fixture.onlyData()).toEqual({ user: 'ada', before: 'the error' });
    expect(fixture.site.errors).toEqual([failure]);
  });
});

test.each(combine(HOSTS, STORES))(
  'L10: an end that throws, %s, %s: the response has not ended',
  async (host, store) => {
    const looks: unknown[] = [];
    const fixture = await startSite({
      host,
      store,
      before: [
        (_req, res, next) => {
          const { end } = res;
          res.end = () => {
            res.end = end;
            throw failure;
          };
          next();
        },
      ],
      after: [(_req, res) => res.end('text')],
      onError: (_error, _req, res) => {
        looks.push(res.writableEnded, res.headersSent);
        Object.getPrototypeOf(res).end.call(res, 'sorry');
      },
    });
    expect(await fixture.browser.get('/')).toMatchObject({ status: 200, body: 'sorry' });
    expect(looks).toEqual([false, false]);
  },
);

describe.each(['express 5', 'express 4'] as const)('%s', (host) => {
  const express4 = require('express4') as typeof express;

  test.each(STORES)("L10: Express's own error page: %s", async (name) => {
    const stored = makeStore(name);
    const app = (host === 'express 4' ? express4 : express)();
    app.use(session({ ...baseOptions, store: stored.store }));
    app.use(((req) => {
      req.session.before = 'the error';
      throw failure;
    }) as Handler as never);
    const site = await serve('node:http', [(req, res) => app(req, res)]);
    const { status, body, setCookie } = await new Browser(site).get('/');
    expect(status).toBe(500);
    expect(body).toContain('Error: of the app');
    expect(setCookie).toHaveLength(1);
    expect(Object.values(stored.data())).toEqual([{ before: 'the error' }]);
  });
});
