/** When the callbacks of a session's methods are called, and with what. */
import type { AddressInfo } from 'node:net';
import type { SessionHandler } from '../../lib/middleware.js';
import { send } from './client.js';
import { SECRETS, signedValue } from './cookies.js';
import { listen } from './hosts.js';
import { ours, type Request, real, type Subject } from './subjects.js';

const EVENTS = ['create', 'load', 'save', 'touch', 'destroy', 'expire', 'error'] as const;
const METHODS = ['save', 'reload', 'destroy', 'regenerate', 'save of an unknown one'] as const;

/** What a handler sees of one call, over the package's own MemoryStore; of a new session, with a `genid`. */
async function callbackOf(
  subject: Subject,
  what: (typeof METHODS)[number],
  genid?: () => unknown,
): Promise<unknown> {
  const store = new subject.MemoryStore();
  await new Promise((stored) => store['set']('known', { cookie: {}, a: 1 }, stored));
  const seen: unknown[] = [];
  const options = { secret: SECRETS[0], store, resave: false, saveUninitialized: false, genid };
  const sessions = subject(options);
  if (subject === ours) for (const name of EVENTS) (sessions as SessionHandler).on(name, () => {});
  const server = await listen('http', {
    before: [],
    sessions: [sessions],
    mountAt: '/',
    trustProxy: false,
    handler: (req: Request, res) => {
      const method = what.split(' ')[0]!;
      let hasReturned = false;
      let microtasks = 0;
      req['session'][method]((...args: unknown[]) => {
        seen.push({ args, hasReturned, microtasks });
        res.end();
      });
      hasReturned = true;
      queueMicrotask(() => microtasks++);
    },
    onError: (error) => seen.push(error),
  });
  const id = what.endsWith('unknown one') ? 'unknown' : 'known';
  const { port } = server.address() as AddressInfo;
  await send(port, 'GET', '/', genid ? {} : { Cookie: `connect.sid=${signedValue(id, SECRETS[0])}` });
  await new Promise((closed) => server.close(closed));
  return seen;
}

test.each(METHODS)('MemoryStore: the callback of %s()', async (what) => {
  expect(await callbackOf(ours, what)).toStrictEqual(await callbackOf(real, what));
});

test.each(METHODS)('MemoryStore: the callback of %s(), where ids are numbers', async (what) => {
  const callback = (subject: Subject) => {
    let ids = 0;
    return callbackOf(subject, what, () => ++ids);
  };
  expect(await callback(ours)).toStrictEqual(await callback(real));
});

/** What a handler sees of a call with something in the place of the callback, and what is stored afterwards. */
async function outcomeOf(subject: Subject, method: string, argument: unknown): Promise<unknown> {
  const store = new subject.MemoryStore();
  await new Promise((stored) => store['set']('known', { cookie: {}, a: 1 }, stored));
  const options = { secret: SECRETS[0], store, resave: false, saveUninitialized: false };
  let seen: unknown;
  const server = await listen('http', {
    before: [],
    sessions: [subject(options)],
    mountAt: '/',
    trustProxy: false,
    handler: (req: Request, res) => {
      const { session } = req;
      try {
        session[method](argument);
        seen = 'done';
      } catch (error) {
        seen = String(error);
      }
      setImmediate(() => res.end(req.session === session ? 'still there' : 'unset'));
    },
    onError: (error) => {
      seen = error;
    },
  });
  const { port } = server.address() as AddressInfo;
  const { body } = await send(port, 'GET', '/', {
    Cookie: `connect.sid=${signedValue('known', SECRETS[0])}`,
  });
  await new Promise((closed) => server.close(closed));
  const stored = await new Promise((resolve) => store['all']((_: unknown, all: object) => resolve(all)));
  return { seen, body: String(body), stored: Object.keys(stored as object) };
}

test.each(['save', 'reload'])(
  '%s() with an argument that is no callback: an error at once, and nothing is done',
  async (method) => {
    const seen = `TypeError: ${method}(): the callback must be a function; got "x"`;
    const nothing = { seen, body: 'still there', stored: ['known'] };
    expect(await outcomeOf(ours, method, 'x')).toEqual(nothing);
    expect(await outcomeOf(ours, method, {})).toMatchObject({ seen: expect.stringContaining('an object') });
  },
);

test('destroy() with an argument that is no callback: an error at once, and the session ends, as with express-session', async () => {
  const outcome = { body: 'unset', stored: [] };
  const seen = 'TypeError: destroy(): the callback must be a function; got "x"';
  expect(await outcomeOf(ours, 'destroy', 'x')).toEqual({ ...outcome, seen });
  expect(await outcomeOf(real, 'destroy', 'x')).toMatchObject(outcome);
});

describe.each(['save', 'destroy'])('%s()', (method) => {
  test.each([null, false, 0, ''])('takes %j for no callback, as with express-session', async (argument) => {
    const outcome = await outcomeOf(ours, method, argument);
    expect(outcome).toMatchObject({ seen: 'done' });
    expect(outcome).toEqual(await outcomeOf(real, method, argument));
  });
});
