import { begin, combine, dataSeenBy, type Fixture, start as startSite } from '../support/lifecycle.js';
import { closeSites, type Handler, HOSTS } from '../support/sites.js';
import { GATED_STORES, STORES } from '../support/test-stores.js';

const onHeaders = require('on-headers') as (res: unknown, listener: () => void) => void;

afterEach(closeSites);

const answer: Handler = (_req, res) => res.end('text');
const answerWithHead: Handler = (_req, res) => res.writeHead(200).end('text');

describe.each(combine(HOSTS, STORES))('%s, %s', (host, store) => {
  const start = (after: Handler[], before: Handler[] = []): Promise<Fixture> =>
    startSite({ host, store, before, after });

  describe.each(['finish', 'close'])('a listener of %s', (event) => {
    const change: Handler = (req, res, next) => {
      res.on(event, () => {
        req.session.late = event;
      });
      next();
    };

    test('L3: changes a stored session', async () => {
      const fixture = await start([change, answer]);
      await begin(fixture);
      await fixture.browser.get('/');
      await fixture.settled();
      expect(await dataSeenBy(fixture.browser)).toEqual({ user: 'ada', late: event });
    });

    test('L3: changes a session that the handler has changed too', async () => {
      const early: Handler = (req, _res, next) => {
        req.session.early = true;
        next();
      };
      const fixture = await start([change, early, answer]);
      const { setCookie } = await fixture.browser.get('/');
      expect(setCookie).toHaveLength(1);
      await fixture.settled();
      expect(await dataSeenBy(fixture.browser)).toEqual({ early: true, late: event });
    });

    test('L3: takes everything out of a stored session', async () => {
      const empty: Handler = (req, res, next) => {
        res.on(event, () => {
          delete req.session.user;
        });
        next();
      };
      const fixture = await start([empty, answer]);
      await begin(fixture);
      await fixture.browser.get('/');
      await fixture.settled();
      expect(fixture.onlyData()).toEqual({});
    });

    test('L3: changes a session, saves it, and puts it back', async () => {
      const fixture = await start([
        (req, res, next) => {
          res.on(event, () => {
            req.session.user = 'grace';
            req.session.save();
            req.session.user = 'ada';
          });
          next();
        },
        answer,
      ]);
      await begin(fixture);
      await fixture.browser.get('/data');
      await fixture.browser.get('/');
      await fixture.settled();
      expect(fixture.onlyData()).toEqual({ user: 'ada' });
    });

    test('L3: puts something in a new session that no cookie can reach any more', async () => {
      const fixture = await start([change, answer]);
      const { setCookie } = await fixture.browser.get('/');
      expect(setCookie).toEqual([]);
      await fixture.settled();
      expect(fixture.onlyData()).toEqual({ late: event });
    });

    test('L3: changes nothing: nothing is written', async () => {
      const same: Handler = (req, res, next) => {
        res.on(event, () => {
          req.session.user = 'ada';
        });
        next();
      };
      const fixture = await start([same, answer]);
      await begin(fixture);
      await fixture.browser.get('/');
      await fixture.settled();
      expect(fixture.traffic.count('set')).toBe(0);
      expect(fixture.onlyData()).toEqual({ user: 'ada' });
    });
  });

  const put: Handler = (req) => Object.assign(req.session, { put: true });
  test.each<[string, boolean, Handler, unknown]>([
    ['before the headers leave', false, put, { put: true }],
    [
      'before they leave ahead of the end',
      false,
      (req, res, next) => {
        put(req, res, next);
        res.write('a');
      },
      { put: true },
    ],
    ['once they have left', false, (req, res, next) => res.write('a') && put(req, res, next), undefined],
    ['in a late listener', false, (req, res, next) => res.on('finish', () => put(req, res, next)), undefined],
    [
      'once they have left, if it is known',
      true,
      (req, res, next) => res.write('a') && put(req, res, next),
      { user: 'ada', put: true },
    ],
    [
      'in a late listener, if it is known',
      true,
      (req, res, next) => res.on('finish', () => put(req, res, next)),
      { user: 'ada', put: true },
    ],
  ])('L3: with storeUnreachable: false, what is put in a session %s', async (_, known, change, data) => {
    const handler: Handler = (req, res) => {
      change(req, res, () => {});
      res.end('text');
    };
    const fixture = await startSite({ host, store, after: [handler], options: { storeUnreachable: false } });
    if (known) await begin(fixture);
    await fixture.browser.get('/');
    await fixture.settled();
    expect(fixture.onlyData()).toEqual(data);
  });

  test('L3: a session that the commit has stored is unset: its record goes', async () => {
    const unset: Handler = (req, res, next) => {
      req.session.user = 'ada';
      res.on('finish', () => {
        req.session = null;
      });
      next();
    };
    const fixture = await startSite({ host, store, after: [unset, answer], options: { unset: 'destroy' } });
    const { setCookie } = await fixture.browser.get('/');
    expect(setCookie).toHaveLength(1);
    await fixture.settled();
    expect(fixture.data()).toEqual({});
  });

  test('L3: a late change that cannot be stored is told of by an event, and crashes nothing', async () => {
    const change: Handler = (req, res, next) => {
      res.on('finish', () => {
        req.session.late = 1n;
      });
      next();
    };
    const fixture = await start([change, answer]);
    const reported: unknown[] = [];
    fixture.sessions.on('error', ({ error }) => reported.push(error));
    await begin(fixture);
    expect(await fixture.browser.get('/')).toMatchObject({ status: 200, body: 'text' });
    await fixture.settled();
    expect(reported).toEqual([expect.objectContaining({ message: 'Do not know how to serialize a BigInt' })]);
    expect(fixture.site.errors).toEqual([]);
    expect(fixture.onlyData()).toEqual({ user: 'ada' });
  });

  test('L3: changes in finish and in close are both stored', async () => {
    const change: Handler = (req, res, next) => {
      for (const event of ['finish', 'close']) res.on(event, () => (req.session[event] = 1));
      next();
    };
    const fixture = await start([change, answer]);
    await begin(fixture);
    await fixture.browser.get('/');
    await fixture.settled();
    expect(fixture.onlyData()).toEqual({ user: 'ada', finish: 1, close: 1 });
  });

  describe.each([
    ['end()', answer],
    ['writeHead() and end()', answerWithHead],
  ])('an on-headers listener, the handler ending by %s', (name, handler) => {
    const change: Handler = (req, res, next) => {
      onHeaders(res, () => {
        req.session.late = 'headers';
      });
      next();
    };

    test('L3: mounted behind the sessions, it changes a stored session', async () => {
      const fixture = await start([change, handler]);
      await begin(fixture);
      await fixture.browser.get('/');
      await fixture.settled();
      expect(await dataSeenBy(fixture.browser)).toEqual({ user: 'ada', late: 'headers' });
    });

    test('L3: mounted behind the sessions, it fills a new session, whose cookie is sent', async () => {
      const fixture = await start([change, handler]);
      const { setCookie } = await fixture.browser.get('/');
      expect(setCookie).toHaveLength(1);
      await fixture.settled();
      expect(await dataSeenBy(fixture.browser)).toEqual({ late: 'headers' });
    });

    test(`L3: mounted in front of the sessions, it changes a stored session (${name})`, async () => {
      const fixture = await start([handler], [change]);
      await begin(fixture);
      await fixture.browser.get('/');
      await fixture.settled();
      expect(await dataSeenBy(fixture.browser)).toEqual({ user: 'ada', late: 'headers' });
    });
  });
});

describe.each(combine(HOSTS, GATED_STORES))('%s, %s', (host, store) => {
  test('L3: a session that was unset before the end is destroyed once', async () => {
    const unset: Handler = (req, res) => {
      req.session = null;
      res.end('text');
    };
    const fixture = await startSite({ host, store, after: [unset], options: { unset: 'destroy' } });
    await begin(fixture);
    await fixture.browser.get('/');
    await fixture.settled();
    expect(fixture.traffic.count('destroy')).toBe(1);
    expect(fixture.data()).toEqual({});
  });

  test('L3: a late save that fails is told of by an event, and crashes nothing', async () => {
    const failure = new Error('the store is on fire');
    const fixture = await startSite({
      host,
      store,
      after: [
        (req, res) => {
          res.on('finish', () => {
            req.session.late = true;
          });
          res.end('text');
        },
      ],
    });
    const reported: unknown[] = [];
    fixture.sessions.on('error', ({ error }) => reported.push(error));
    await begin(fixture);
    fixture.traffic.fail('set', failure);
    expect(await fixture.browser.get('/')).toMatchObject({ status: 200, body: 'text' });
    await fixture.settled();
    expect(reported).toEqual([failure]);
    expect(fixture.site.errors).toEqual([]);
    expect(fixture.onlyData()).toEqual({ user: 'ada' });
  });
});
