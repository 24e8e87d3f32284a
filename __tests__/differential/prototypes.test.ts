/** Apps that put methods of their own on the prototypes of the package: ours calls them where the real one does. */
import type { AddressInfo } from 'node:net';
import { send } from './client.js';
import { SECRETS } from './cookies.js';
import { listen } from './hosts.js';
import { ours, type Request, real, type Subject } from './subjects.js';

type Place = 'Session' | 'MemoryStore' | 'Store';

/** What a call of a method does to what it is a method of, or to its arguments, beyond what it always does. */
type Extra = (self: any, args: any[]) => void;

/** The method, and what a call of it does to the session beyond what it always does. */
const cases: [place: Place, method: string, extra: Extra][] = [
  ['Session', 'touch', nothing],
  ['Session', 'touch', noteVisit],
  ['Session', 'resetMaxAge', nothing],
  ['Session', 'resetMaxAge', noteVisit],
  ['Session', 'save', nothing],
  ['Session', 'save', noteVisit],
  ['Session', 'destroy', nothing],
  ['Session', 'regenerate', nothing],
  ['Session', 'reload', nothing],
  ['MemoryStore', 'get', nothing],
  ['MemoryStore', 'set', nothing],
  ['MemoryStore', 'touch', nothing],
  ['MemoryStore', 'destroy', nothing],
  ['Store', 'createSession', nothing],
  ['Store', 'createSession', noteLoad],
  ['Store', 'regenerate', nothing],
];

function nothing(): void {}

function noteVisit(session: any): void {
  session.visits = (session.visits ?? 0) + 1;
}

/** In the data, before they become a session. */
function noteLoad(_store: unknown, [, data]: any[]): void {
  data.loads = (data.loads ?? 0) + 1;
}

/** What the requests of one client do, one after another. */
const handlers: ((req: Request) => unknown)[] = [
  () => {},
  ({ session }) => Object.assign(session, { user: 'ada' }),
  () => {},
  ({ session }) => session.user,
  ({ session }) => Object.assign(session, { user: 'grace' }),
  ({ session }) => new Promise((done) => session.reload(done)),
  ({ session }) => new Promise((done) => session.regenerate(done)),
  ({ session }) => Object.assign(session, { user: 'joan' }),
  ({ session }) => new Promise((done) => session.destroy(done)),
];

test.each(cases)('%s.prototype.%s, %p', async (place, method, extra) => {
  const theirs = await observe(real, place, method, extra);
  expect(theirs.join()).toContain(method);
  expect(await observe(ours, place, method, extra)).toStrictEqual(theirs);
});

test('Cookie.prototype.toJSON gives what is stored of a cookie, however often it is asked', async () => {
  const theirs = await storedWithOwnToJson(real);
  expect(theirs.join()).toContain('"by":"me"');
  expect(await storedWithOwnToJson(ours)).toStrictEqual(theirs);
});

async function storedWithOwnToJson(subject: Subject): Promise<unknown[]> {
  const { prototype } = subject.Cookie;
  const { toJSON } = prototype;
  prototype['toJSON'] = function (this: unknown) {
    return { ...toJSON.call(this), by: 'me' };
  };
  try {
    return await observe(subject, 'Session', 'reload', nothing);
  } finally {
    prototype['toJSON'] = toJSON;
  }
}

test('what Store.prototype.createSession changes in the data counts as no change of the session', async () => {
  const options = { cookie: { maxAge: 60_000 } }; // sent again for each change
  const cookiesSent = async (subject: Subject) => {
    const seen = await observe(subject, 'Store', 'createSession', noteLoad, options);
    return seen.filter((each) => typeof each === 'boolean');
  };
  const theirs = await cookiesSent(real);
  expect(theirs.slice(0, 4)).toStrictEqual([false, true, false, false]);
  expect(await cookiesSent(ours)).toStrictEqual(theirs);
});

interface OwnCookies {
  what: string;
  /** Changes all cookies. */
  patch?(prototype: any): void;
  /** Changes the cookie of a user's session. */
  act(session: any, user: string, subject: Subject): void;
}

const ownCookies: OwnCookies[] = [
  {
    what: 'data of a subclass, for one session',
    act(session, user, { Cookie }) {
      class Wide extends Cookie {
        get data(): object {
          return { ...super['data'], domain: 'example.com', httpOnly: false };
        }
      }
      if (user === 'ada') session.cookie = new Wide();
    },
  },
  {
    what: 'Cookie.prototype.data, by what is on the cookie',
    patch(prototype) {
      const { get } = Object.getOwnPropertyDescriptor(prototype, 'data') as { get(): object };
      Object.defineProperty(prototype, 'data', {
        configurable: true,
        get(this: any) {
          return { ...get.call(this), path: `/${this.user ?? ''}` };
        },
      });
    },
    act(session, user) {
      session.cookie.user = user;
    },
  },
  {
    what: 'Cookie.prototype.data, by a change of what it gives',
    patch(prototype) {
      const { get } = Object.getOwnPropertyDescriptor(prototype, 'data') as { get(): any };
      Object.defineProperty(prototype, 'data', {
        configurable: true,
        get(this: any) {
          const data = get.call(this);
          data.path = `/${this.user ?? ''}`;
          return data;
        },
      });
    },
    act(session, user) {
      session.cookie.user = user;
    },
  },
  {
    what: 'Cookie.prototype.serialize',
    patch(prototype) {
      prototype.serialize = (name: string) => `${name}=mine`;
    },
    act: nothing,
  },
  {
    what: 'serialize of the cookie of one session',
    act(session, user) {
      if (user === 'ada') session.cookie.serialize = (name: string) => `${name}=mine`;
    },
  },
];

test.each(ownCookies)('$what: the Set-Cookie lines, and what is stored', async ({ patch, act }) => {
  const theirs = await setCookies(real, patch, act);
  expect(theirs).toHaveLength(3);
  expect(await setCookies(ours, patch, act)).toStrictEqual(theirs);
});

/** The Set-Cookie lines of three users' new sessions, each with what is stored then. */
async function setCookies(subject: Subject, patch: OwnCookies['patch'], act: OwnCookies['act']) {
  const store = new subject.MemoryStore();
  let ids = 0;
  const genid = () => `id${++ids}`;
  const sessions = subject({ secret: SECRETS[0], resave: false, saveUninitialized: false, store, genid });
  const { prototype } = subject.Cookie;
  const before = Object.getOwnPropertyDescriptors(prototype);
  patch?.(prototype);
  const server = await listen('http', {
    before: [],
    sessions: [sessions],
    mountAt: '/',
    trustProxy: false,
    handler: ({ session, url }, res) => {
      session.user = url!.slice(1);
      act(session, session.user, subject);
      res.end('ok');
    },
    onError: (error, res) => res.end(String(error)),
  });
  const seen: unknown[] = [];
  try {
    for (const user of ['ada', 'grace', 'joan']) {
      const response = await send((server.address() as AddressInfo).port, 'GET', `/${user}`, {});
      const lines = response.headers.filter(([name]) => name.toLowerCase() === 'set-cookie');
      seen.push([lines.map(([, line]) => line), response.body, store.sessions[`id${ids}`]]);
    }
  } finally {
    for (const name of Reflect.ownKeys(prototype))
      if (!Object.hasOwn(before, name)) delete prototype[name as string];
    Object.defineProperties(prototype, before);
    server.close();
  }
  return seen;
}

/** For each request, the calls of the method, the session's data as they are then stored, and whether a cookie was set. */
async function observe(subject: Subject, place: Place, method: string, extra: Extra, options: object = {}) {
  const store = new subject.MemoryStore();
  const sessions = subject({
    secret: SECRETS[0],
    resave: false,
    saveUninitialized: false,
    store,
    ...options,
  });
  const calls: string[] = [];
  const restore = replace(subject[place].prototype, method, calls, extra);
  const left = [...handlers];
  const server = await listen('http', {
    before: [],
    sessions: [sessions],
    mountAt: '/',
    trustProxy: false,
    handler: async (req, res) => {
      await left.shift()!(req);
      res.end('ok');
    },
    onError: (error) => calls.push(String(error)),
  });
  const { port } = server.address() as AddressInfo;
  const seen: unknown[] = [];
  let headers: Record<string, string> = {};
  try {
    for (const _ of handlers) {
      const response = await send(port, 'GET', '/', headers);
      const cookie = response.headers.find(([name]) => name.toLowerCase() === 'set-cookie')?.[1];
      if (cookie) headers = { Cookie: cookie.split(';')[0]! };
      seen.push(calls.splice(0).join(), Boolean(cookie), dataIn(store));
    }
  } finally {
    restore();
    server.close();
  }
  return seen;
}

/** Puts a method around another that notes the call. @returns what undoes it */
function replace(prototype: any, method: string, calls: string[], extra: Extra) {
  const isOwn = Object.hasOwn(prototype, method);
  const original = prototype[method];
  prototype[method] = function (this: any, ...args: unknown[]): unknown {
    calls.push(method);
    extra(this, args);
    return original.apply(this, args);
  };
  return () => {
    if (isOwn) prototype[method] = original;
    else delete prototype[method];
  };
}

function dataIn(store: any): string {
  return JSON.stringify(Object.values(store.sessions).map((text) => JSON.parse(text as string)));
}
