/** Tests of these tests: they find no difference where there is none, and do find each kind of difference. */
import type { ServerResponse } from 'node:http';
import * as fc from 'fast-check';
import { scenario as anyScenario, faultlessScenario } from './arbitraries.js';
import { useFrozenClock } from './clock.js';
import { expectPlainBytes, expectSame } from './compare.js';
import { ignoreWarnings } from './deprecations.js';
import type { Action, RequestSpec, Scenario } from './scenario.js';
import { type Middleware, plain, real, type Subject } from './subjects.js';

useFrozenClock();
ignoreWarnings();
// Hundreds of requests in one test.
jest.setTimeout(60_000);

const NUM_RUNS = 100;

test('no difference between express-session and itself', async () => {
  const property = fc.asyncProperty(anyScenario, async (each) => void (await expectSame(each, real)));
  await fc.assert(property, { seed: 1, numRuns: NUM_RUNS });
});

test('no difference between no sessions and no sessions', async () => {
  const property = fc.asyncProperty(faultlessScenario, (each) => expectPlainBytes(each, plain));
  await fc.assert(property, { seed: 1, numRuns: NUM_RUNS });
});

/** express-session with its middleware wrapped. */
function wrapped(wrap: (middleware: Middleware) => Middleware): Subject {
  return Object.assign((options: unknown) => wrap(real(options)), real);
}

/** express-session over a store of which a method has been changed. */
function overStore(method: string, change: (original: any, store: any) => unknown): Subject {
  const factory = (options: any) => {
    const { store } = options;
    if (store) store[method] = change(store[method]?.bind(store), store);
    return real(options);
  };
  return Object.assign(factory, real);
}

/** express-session with the Set-Cookie lines that it adds changed. */
function withCookies(change: (line: string) => string): Subject {
  return wrapped((middleware) => (req, res, next) => {
    const { setHeader } = res;
    res.setHeader = (name, value) => {
      const changed = name === 'Set-Cookie' ? [value].flat().map((line) => change(String(line))) : value;
      return setHeader.call(res, name, changed as string);
    };
    middleware(req, res, next);
  });
}

const altered: [what: string, subject: Subject, shown: RegExp][] = [
  ['another SameSite', withCookies((line) => `${line}; SameSite=Lax`), /SameSite=Lax/],
  ['another path', withCookies((line) => line.replace('Path=/', 'Path=/x')), /Path=\/x/],
  [
    'an Expires that is a second off',
    withCookies((line) => line.replace(/:0(\d) GMT/, ':3$1 GMT')),
    /Expires=/,
  ],
  ['no touch', overStore('touch', () => undefined), /"operation": "touch"/],
  ['a touch more', overStore('set', (set, store) => withTouchBefore(set, store)), /"operation": "touch"/],
  [
    'other stored JSON',
    overStore(
      'set',
      (set) => (id: string, session: object, callback: unknown) => set(id, { ...session, more: 1 }, callback),
    ),
    /more/,
  ],
  [
    'a lost write',
    overStore('set', () => (_id: string, _session: object, callback?: () => void) => callback?.()),
    /-.*"operation": "set"/,
  ],
  [
    'an error that is swallowed',
    overStore(
      'set',
      (set) => (id: string, session: object, callback?: () => void) => set(id, session, () => callback?.()),
    ),
    /set \d failed/,
  ],
  [
    'an error that comes twice',
    wrapped(
      (middleware) => (req, res, next) =>
        middleware(req, res, (error) => {
          if (error) next(error);
          next(error);
        }),
    ),
    /failed/,
  ],
  [
    'another status',
    wrapped((middleware) => (req, res, next) => {
      const end = res.end as (...args: unknown[]) => ServerResponse;
      res.end = ((...args: []) => {
        if (req['session'] === null && !res.headersSent) res.statusCode = 500;
        return end.apply(res, args);
      }) as typeof end;
      middleware(req, res, next);
    }),
    /500/,
  ],
  [
    'a header more',
    wrapped((middleware) => (req, res, next) => {
      res.setHeader('Cache-Control', 'private');
      middleware(req, res, next);
    }),
    /Cache-Control/,
  ],
  [
    'a body that is cut short',
    wrapped((middleware) => (req, res, next) => {
      const write = res.write as (...args: unknown[]) => boolean;
      res.write = ((chunk: string, ...rest: []) =>
        write.call(res, chunk === 'two ☃' ? 'tw' : chunk, ...rest)) as typeof write;
      middleware(req, res, next);
    }),
    /"body"/,
  ],
  [
    'data that the app should not see',
    wrapped(
      (middleware) => (req, res, next) =>
        middleware(req, res, (error) => {
          if (req['session']) req['session'].seen = true;
          next(error);
        }),
    ),
    /seen/,
  ],
];

function withTouchBefore(set: any, store: any): unknown {
  return (id: string, session: object, callback: unknown) => {
    store.touch?.(id, session);
    set(id, session, callback);
  };
}

const write: Action = { do: 'write', key: 'a', value: 1 };
const ok = { by: 'end', body: { text: 'ok' } } as const;
const login: RequestSpec = { cookie: 'none', actions: [write], ending: ok };

/** Has an occasion for each of the alterations. */
const telling: Scenario = {
  host: 'http',
  options: { resave: false, saveUninitialized: false, secret: 'text', cookie: { maxAge: 60_000 } },
  store: {
    ...{ kind: 'recording', touch: true, turns: 1, missing: 'undefined' },
    faults: [
      { operation: 'set', on: 2 },
      { operation: 'get', on: 2 },
    ],
  },
  requests: [
    login,
    { ...login, cookie: 'latest', actions: [] },
    { ...login, ending: { by: 'stream', parts: [{ text: 'two ☃', meanwhile: [] }], last: null } },
    { ...login, cookie: 'latest' },
    { ...login, actions: [write, { do: 'null' }] },
  ],
};

describe('each difference is found', () => {
  test('and none where there is none', async () => {
    await expect(expectSame(telling, real)).resolves.toMatchObject({
      exchanges: { length: telling.requests.length },
    });
  });

  test.each(altered)('%s', async (_, subject, shown) => {
    await expect(expectSame(telling, subject)).rejects.toThrow(shown);
  });

  test('by generated scenarios too, which are then made small', async () => {
    const lax = withCookies((line) => (/Max|Expires/.test(line) ? `${line}; SameSite=Lax` : line));
    const property = fc.asyncProperty(anyScenario, async (each) => void (await expectSame(each, lax)));
    const { failed, counterexample } = await fc.check(property, { seed: 1, numRuns: 300 });
    expect(failed).toBe(true);
    expect(counterexample![0].requests).toHaveLength(1);
  });

  test('the report describes the scenario', async () => {
    const lax = withCookies((line) => `${line}; SameSite=Lax`);
    await expect(expectSame({ ...telling, requests: [login] }, lax)).rejects.toThrow(
      /^In this scenario:\nhost http; store \{.*\}\noptions \{.*"maxAge":60000.*\}\n1\. .*\n +write \{"key":"a","value":1\}; => end /,
    );
  });
});

test('what leaves otherwise than from plain node:http is found: express-session frames anew what waits for a save', async () => {
  const scenario: Scenario = { ...telling, store: { ...telling.store, faults: [] }, requests: [login] };
  await expect(expectPlainBytes(scenario, plain)).resolves.toBe(undefined);
  const again: RequestSpec = { ...login, cookie: 'latest', ending: { by: 'end', body: null } };
  await expect(expectPlainBytes({ ...scenario, requests: [login, again] }, real)).rejects.toThrow(
    /\+ Transfer-Encoding: chunked/,
  );
});
