import { once } from 'node:events';
import session from '../../lib/index.js';
import { Browser } from '../support/http.js';
import { baseOptions } from '../support/lifecycle.js';
import { closeSites, type Handler, serve } from '../support/sites.js';

// What is stored is the JSON of the session as it was when the response was over. The text of a long one is made at once,
// cookie and all, and that of a short one in two parts; nobody must notice.

const HOUR = 3_600_000;
const LENGTHS = { short: 2, long: 200 };
const itemsOf = (length: number) =>
  Array.from({ length }, (_, id) => ({ id, title: `item ${id} of a list` }));

afterEach(closeSites);

/** What a handler does with the session of a browser that has one. */
const changes: Record<string, (session: any, res: any) => unknown> = {
  'nothing at all': () => {},
  'a change at its beginning': (session) => session.first++,
  'a change at its end': (session) => session.items.push({ id: -1 }),
  'a new cookie': (session) => {
    session.items.pop();
    session.cookie = new session.constructor(session.req, { cookie: session.cookie }).cookie;
  },
  'an attribute of the cookie': (session) => {
    session.first++;
    session.cookie.maxAge = 2 * HOUR;
  },
  'an attribute of the cookie that is no lifetime': (session) => {
    session.first++;
    session.cookie.sameSite = 'lax';
  },
  'a cookie that comes last': (session) => {
    const { cookie } = session;
    delete session.cookie;
    session.first++;
    session.cookie = cookie;
  },
  'a toJSON of its own': (session) => {
    const cookie = JSON.parse(JSON.stringify(session.cookie));
    const toJSON = () => ({ cookie, items: session.items, other: 'than before' });
    Object.defineProperty(session, 'toJSON', { value: toJSON });
  },
  'a value whose JSON tells of the cookie': (session) => {
    session.token = { toJSON: () => ({ path: session.cookie.path }) };
  },
  'a getter that tells of the cookie': (session) => {
    Object.defineProperty(session, 'path', { enumerable: true, get: () => session.cookie.path });
  },
  'data put in after clear(), and a touch that changes them': (session) => {
    session.clear();
    session.first = 2;
    const touch = () => Object.assign(session.resetMaxAge(), { touched: true });
    Object.defineProperty(session, 'touch', { value: touch });
  },
  'a touch that changes it': (session) => {
    const touch = () => Object.assign(session.resetMaxAge(), { touched: true });
    Object.defineProperty(session, 'touch', { value: touch });
  },
  'all data removed': (session) => {
    delete session.first;
    delete session.items;
  },
  'two saves': async (session) => {
    session.first++;
    await session.save();
    session.first++;
  },
  'a save, and a change that undoes it': async (session) => {
    session.first++;
    await session.save();
    session.first--;
  },
  'a change after the commit': (session, res) => {
    session.first++;
    res.prependListener('finish', () => session.items.pop());
  },
};

const lengths = Object.keys(LENGTHS) as (keyof typeof LENGTHS)[];

describe.each([
  ['that ends with the browser', {}],
  ['with a lifetime', { cookie: { maxAge: HOUR } }],
  ['of a callback store', { concurrency: 'overwrite' }],
  ['that notes when it was touched', { touchAfter: HOUR, absoluteTimeout: HOUR }],
  ['with all that is recommended', { ...session.recommended, cookie: { maxAge: HOUR, secure: false } }],
] as [string, session.SessionOptions][])('a session %s', (_, options) => {
  describe.each(lengths)('%s', (length) => {
    test.each(Object.keys(changes))('%s', async (what) => {
      const { browser, store } = await open(
        options,
        LENGTHS[length],
        changes[what] as (typeof changes)[string],
      );
      await browser.get('/begin');
      const { body: id } = await browser.get('/');
      const expected = await ended.shift();
      expect(store.sessions).toEqual({ [id]: expected });
      expect(JSON.parse(expected as string)).toHaveProperty('cookie.path', '/');
    });
  });
});

// What the last look finds different is written once more, and so would hide what the commit has got wrong.
describe.each(lengths)('a session that ends with the browser, %s: the commit itself', (length) => {
  test.each(Object.keys(changes))('%s', async (what) => {
    const change = changes[what] as (typeof changes)[string];
    const atFinish: unknown[] = [];
    const { browser, store } = await open({}, LENGTHS[length], async (session, res) => {
      await change(session, res);
      res.prependListener('finish', () => atFinish.push({ ...store.sessions }, JSON.stringify(session)));
    });
    await browser.get('/begin');
    const { body: id } = await browser.get('/');
    await ended.shift();
    expect(atFinish[0]).toEqual({ [id]: atFinish[1] });
  });
});

test('a long session whose cookie is other JSON each time', async () => {
  const { browser, store } = await open({}, LENGTHS.long, (session) => {
    session.items[0].title = 'another';
    let text = '';
    session.cookie.toJSON = function () {
      text += 'x';
      return { ...this.data, text };
    };
  });
  const write = jest.spyOn(store.records, 'writeCompact');
  await browser.get('/begin');
  await browser.get('/');
  const { cookie: _, ...data } = JSON.parse((await ended.shift()) as string);
  const written = JSON.parse(write.mock.calls[1]![1]);
  expect(written).toEqual({ cookie: expect.objectContaining({ path: '/' }), ...data });
});

test('a long session that loses all its data is written once', async () => {
  const change = changes['all data removed'] as (typeof changes)[string];
  const { browser, store } = await open({}, Math.max(...Object.values(LENGTHS)), change);
  await browser.get('/begin');
  const write = jest.spyOn(store.records, 'writeCompact');
  await browser.get('/');
  await ended.shift();
  expect(write).toHaveBeenCalledTimes(1);
});

/** What each response's session was as text, when all listeners had run. */
const ended: Promise<string>[] = [];

async function open(options: session.SessionOptions, length: number, change: (typeof changes)[string]) {
  const store = new session.MemoryStore();
  const sessions = session({ ...baseOptions, store, ...options });
  const handler: Handler = async (req, res) => {
    if (req.url === '/begin') {
      Object.assign(req.session, { first: 1, items: itemsOf(length) });
      return res.end();
    }
    passMillisecond(); // so that times which the cookie notes differ from those of before
    ended.push(textAtTheEnd(req, res));
    await change(req.session, res);
    return res.end(req.sessionID);
  };
  const site = await serve('node:http', [sessions, handler]);
  return { store, browser: new Browser(site) };
}

function passMillisecond(): void {
  const now = Date.now();
  while (Date.now() === now);
}

async function textAtTheEnd(req: any, res: any): Promise<string> {
  await once(res, 'close');
  await new Promise(setImmediate);
  return JSON.stringify(req.session);
}
