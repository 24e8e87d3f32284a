/** Apps and stores that put methods of their own in the place of the package's: ours calls them where the real one does. */
import type { AddressInfo } from 'node:net';
import { send } from './client.js';
import { useFrozenClock } from './clock.js';
import { SECRETS, signedValue } from './cookies.js';
import { comparableResponse } from './differences.js';
import { listen } from './hosts.js';
import { makeRecordingStore } from './recording-store.js';
import type { StoreSpec } from './scenario.js';
import { closeStore } from './stores.js';
import { ours, type Request, real, type Subject } from './subjects.js';

useFrozenClock();

interface Case {
  /** Changes the store before `session()` gets it. */
  store?(store: any, order: string[]): unknown;
  /** Changes the store after that. */
  after?(store: any, order: string[]): unknown;
  /** What the handler does. */
  handler?(req: Request, order: string[], subject: Subject): unknown;
  options?: object;
}

const known =
  '{"cookie":{"originalMaxAge":60000,"expires":"2030-01-15T12:00:30.000Z","httpOnly":true,"path":"/"},"a":1}';

/** Puts a method around another that notes the call. */
function noting(object: any, method: string, order: string[]): void {
  const original = object[method];
  object[method] = function (this: unknown, ...args: unknown[]): unknown {
    order.push(method);
    return original.apply(this, args);
  };
}

function promised(run: (done: () => void) => void): Promise<void> {
  return new Promise((resolve) => run(() => setImmediate(resolve)));
}

const cases: [what: string, setUp: Case][] = [
  ["the store's createSession, on load", { store: (store, order) => noting(store, 'createSession', order) }],
  [
    "the store's createSession, on reload",
    {
      store: (store, order) => noting(store, 'createSession', order),
      handler: ({ session }) => promised((done) => session.reload(done)),
    },
  ],
  [
    "the store's createSession, which changes the session that it has made",
    {
      store: (store) => {
        const { createSession } = store;
        store.createSession = function (req: unknown, data: unknown) {
          return Object.assign(createSession.call(this, req, data), { loaded: true });
        };
      },
    },
  ],
  [
    "the store's regenerate",
    {
      store: (store, order) => noting(store, 'regenerate', order),
      handler: ({ session }) => promised((done) => session.regenerate(done)),
    },
  ],
  [
    "the store's generate",
    {
      after: (store, order) => noting(store, 'generate', order),
      handler: ({ session }) => promised((done) => session.regenerate(done)),
    },
  ],
  [
    'save of one session, called at the end',
    { handler: ({ session }, order) => noting(changed(session), 'save', order) },
  ],
  [
    'save of one session, so that nothing is stored',
    {
      handler: ({ session }) => {
        changed(session).save = (callback?: () => void) => callback?.();
      },
    },
  ],
  [
    'touch of one session, called at the end',
    { handler: ({ session }, order) => noting(session, 'touch', order) },
  ],
  [
    'touch of one session, so that its life is not prolonged',
    {
      options: { rolling: true },
      handler: ({ session }) => {
        session.touch = () => session;
      },
    },
  ],
  [
    'touch of one session, which changes its data',
    {
      handler: ({ session }) => {
        session.touch = () => changed(session);
      },
    },
  ],
  [
    'resetMaxAge of one session',
    {
      handler: ({ session }) => {
        session.resetMaxAge = () => session;
      },
    },
  ],
  [
    'the cookie of a session',
    {
      handler: ({ session }, _order, { Cookie }) => {
        changed(session).cookie = new Cookie({ maxAge: 5_000, path: '/x' });
      },
    },
  ],
  ...[{ path: '/x', httpOnly: true, originalMaxAge: null }, { maxAge: 5_000 }, {}].map(
    (cookie): [string, Case] => [
      `the cookie of a session, by a plain object: ${JSON.stringify(cookie)}`,
      {
        handler: ({ session }) => {
          changed(session).cookie = { ...cookie };
        },
      },
    ],
  ),
  [
    'the session, by one of its own making',
    {
      handler: (req, _order, { Session, Cookie }) => {
        req['session'] = new Session(req, { cookie: new Cookie({ maxAge: 5_000 }), fresh: true });
      },
    },
  ],
  [
    'the id, by generate',
    {
      handler: (req) => {
        req['sessionStore'].generate(req);
        changed(req['session']);
      },
    },
  ],
];

function changed(session: any): any {
  session.b = 2;
  return session;
}

describe.each(cases)('%s', (_, setUp) => {
  test.each(['known', undefined])('session: %s', async (id) => {
    expect(await observe(ours, setUp, id)).toStrictEqual(await observe(real, setUp, id));
  });
});

test('next() is called at once where nothing has to be waited for', async () => {
  const handler = (_req: Request, order: string[]) => order.push('handler');
  for (const id of ['known', undefined]) {
    const { order } = await observe(ours, { handler }, id, { turns: 0 });
    expect(order).toStrictEqual(['handler', 'went on']);
    expect(await observe(ours, { handler }, id, { turns: 0 })).toStrictEqual(
      await observe(real, { handler }, id, { turns: 0 }),
    );
  }
});

test('a store may keep the live objects that it is given, and hand them out', async () => {
  const live = new Map<string, unknown>();
  const store = (recording: any) => {
    recording.get = (id: string, callback: (error: null, session: unknown) => void) =>
      callback(null, live.get(id));
    recording.set = (id: string, session: unknown, callback: () => void) => {
      live.set(id, session);
      callback();
    };
  };
  const handler = ({ session }: Request, order: string[]) => {
    session.list = [...(session.list ?? []), 'x'];
    order.push(JSON.stringify(session));
  };
  const runs = [];
  for (const subject of [real, ours]) {
    live.clear();
    const first = await observe(subject, { store, handler }, undefined);
    const second = await observe(subject, { store, handler }, 'new');
    runs.push([first, second, [...live].map(([id, session]) => [id, JSON.stringify(session)])]);
  }
  expect(runs[1]).toStrictEqual(runs[0]);
});

async function observe(subject: Subject, setUp: Case, id: string | undefined, more: Partial<StoreSpec> = {}) {
  const order: string[] = [];
  const spec: StoreSpec = { kind: 'recording', touch: true, turns: 1, missing: 'undefined', ...more };
  const store = makeRecordingStore(subject, { ...spec, records: { known } });
  setUp.store?.(store, order);
  const options = { secret: SECRETS[0], resave: false, saveUninitialized: false, genid: () => 'new', store };
  const middleware = subject({ ...options, cookie: { maxAge: 60_000 }, ...setUp.options });
  setUp.after?.(store, order);
  const errors: string[] = [];
  const server = await listen('http', {
    before: [
      (_req, _res, next) => {
        next();
        order.push('went on');
      },
    ],
    sessions: [middleware],
    mountAt: '/',
    trustProxy: false,
    handler: async (req, res) => {
      await setUp.handler?.(req, order, subject);
      res.end('ok');
    },
    onError: (error) => errors.push(String(error)),
  });
  const { port } = server.address() as AddressInfo;
  const headers = id === undefined ? {} : { Cookie: `connect.sid=${signedValue(id, SECRETS[0])}` };
  const response = await send(port, 'GET', '/', headers as Record<string, string>);
  server.close();
  closeStore(store);
  return {
    order,
    errors,
    response: comparableResponse(response),
    calls: store.takeCalls(),
    records: [...store.records],
  };
}
