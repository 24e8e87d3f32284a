import { once } from 'node:events';
import session from '../../lib/index.js';
import { Browser } from '../support/http.js';
import { baseOptions } from '../support/lifecycle.js';
import { closeSites, type Handler, serve } from '../support/sites.js';

// A long session that has changed is made a text once, cookie and all. What is stored has to be that of any other: the
// JSON of the session as it was when the response was over.

const HOUR = 3_600_000;
const items = Array.from({ length: 200 }, (_, id) => ({ id, title: `item ${id} of a long list` }));

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
  'a cookie that comes last': (session) => {
    const { cookie } = session;
    delete session.cookie;
    session.first++;
    session.cookie = cookie;
  },
  'a toJSON of its own': (session) => {
    const cookie = JSON.parse(JSON.stringify(session.cookie));
    const toJSON = () => ({ cookie, items, other: 'than before' });
    Object.defineProperty(session, 'toJSON', { value: toJSON });
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
  'a change after the commit': (session, res) => {
    session.first++;
    res.prependListener('finish', () => session.items.pop());
  },
};

describe.each([
  ['that ends with the browser', {}],
  ['with a lifetime', { cookie: { maxAge: HOUR } }],
  ['that notes when it was touched', { touchAfter: HOUR, absoluteTimeout: HOUR }],
  ['with all that is recommended', { ...session.recommended, cookie: { maxAge: HOUR, secure: false } }],
])('a long session %s', (_, options: session.SessionOptions) => {
  test.each(Object.keys(changes))('%s', async (what) => {
    const { browser, store } = await open(options, changes[what] as (typeof changes)[string]);
    const { body: id } = await browser.get('/begin');
    const { body } = await browser.get('/');
    expect(body).toBe('changed');
    const expected = await ended.shift();
    expect(store.sessions[id]).toBe(expected);
    expect(JSON.parse(expected as string)).toHaveProperty('cookie.path', '/');
  });
});

/** What each response's session was as text, when all listeners had run. */
const ended: Promise<string>[] = [];

async function open(options: session.SessionOptions, change: (typeof changes)[string]) {
  const store = new session.MemoryStore();
  const sessions = session({ ...baseOptions, store, ...options });
  const handler: Handler = async (req, res) => {
    if (req.url === '/begin') {
      Object.assign(req.session, { first: 1, items });
      return res.end(req.sessionID);
    }
    passMillisecond(); // so that times which the cookie notes differ from those of before
    ended.push(textAtTheEnd(req, res));
    await change(req.session, res);
    return res.end('changed');
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
