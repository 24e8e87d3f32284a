/** Apps that put methods of their own on the prototypes of the package: ours calls them where the real one does. */
import type { AddressInfo } from 'node:net';
import { send } from './client.js';
import { SECRETS } from './cookies.js';
import { listen } from './hosts.js';
import { ours, type Request, real, type Subject } from './subjects.js';

type Place = 'Session' | 'MemoryStore' | 'Store';

/** The method, and what a call of it does to the session beyond what it always does. */
const cases: [place: Place, method: string, extra: (session: any) => void][] = [
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
  ['Store', 'regenerate', nothing],
];

function nothing(): void {}

function noteVisit(session: any): void {
  session.visits = (session.visits ?? 0) + 1;
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

/** For each request, the calls of the method, the session's data as they are then stored, and whether a cookie was set. */
async function observe(subject: Subject, place: Place, method: string, extra: (session: any) => void) {
  const store = new subject.MemoryStore();
  const sessions = subject({ secret: SECRETS[0], resave: false, saveUninitialized: false, store });
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
function replace(prototype: any, method: string, calls: string[], extra: (session: any) => void) {
  const isOwn = Object.hasOwn(prototype, method);
  const original = prototype[method];
  prototype[method] = function (this: any, ...args: unknown[]): unknown {
    calls.push(method);
    extra(this);
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
