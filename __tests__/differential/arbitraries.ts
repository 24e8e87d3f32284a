import * as fc from 'fast-check';
import {
  type Action,
  type Body,
  type CookieSpec,
  type CookieToSend,
  describeScenario,
  type Ending,
  type Fault,
  HOSTS,
  type OptionsSpec,
  type RequestSpec,
  type Scenario,
  type StoreSpec,
} from './scenario.js';

type Arb<T> = fc.Arbitrary<T>;

// Some are names that Object.prototype has, or that methods of ours have and express-session's lack.
const key = fc.constantFrom(
  'a',
  'b',
  'list',
  'user',
  'toString',
  'valueOf',
  'clear',
  'update',
  'hasOwnProperty',
);
const value: Arb<unknown> = fc.oneof(
  fc.constantFrom<unknown>(0, 1, '', 'text', 'ünïcødé ☃', true, null, undefined, [], {}, Number.NaN, {
    a: { b: [1, '2'] },
  }),
  fc.jsonValue({ maxDepth: 2 }).filter(isTame),
);
const seconds = (...values: number[]) => fc.constantFrom(...values.map((each) => each * 1000));

/** Without the keys by which a record would lose its prototype; a scripted scenario stores those. */
function isTame(json: unknown): boolean {
  return !JSON.stringify(json).includes('__proto__');
}

const cookieChange: Arb<Action> = fc.oneof(
  property(
    'maxAge',
    fc.oneof(seconds(-1, 0, 0.5, 10, 3600), fc.constantFrom<unknown>(null, undefined, 'soon')),
  ),
  property('secure', fc.boolean()),
  property('httpOnly', fc.boolean()),
  property('sameSite', fc.constantFrom<unknown>(true, false, 'lax', 'strict', 'none', 'bogus')),
  property('path', fc.constantFrom('/', '/app', '/a;b')),
  property('domain', fc.constantFrom('example.com', undefined)),
  property('partitioned', fc.boolean()),
  property('priority', fc.constantFrom('low', 'high', 'bogus')),
  fc.record({
    do: fc.constant('cookie expires'),
    in: fc.constantFrom(-1_000, 0, 60_000, null, false),
  }) as Arb<Action>,
);

function property(name: string, values: Arb<unknown>): Arb<Action> {
  return values.map((given) => ({ do: 'cookie', property: name, value: given }));
}

const change: Arb<Action> = fc.oneof(
  fc.record({ do: fc.constant('write' as const), key, value }),
  fc.record({ do: fc.constant('nested' as const), key, value }),
  fc.record({ do: fc.constantFrom('read' as const, 'same' as const, 'remove' as const), key }),
);

const sessionMethod: Arb<Action> = fc
  .constantFrom(
    ...(['regenerate', 'destroy', 'reload', 'save', 'touch', 'resetMaxAge', 'null', 'delete'] as const),
    ...(['save, unheeded', 'destroy, unheeded'] as const),
  )
  .map((verb) => ({ do: verb }));

const pause: Arb<Action> = fc.oneof(
  fc.constantFrom<Action>({ do: 'turn' }, { do: 'tick' }),
  seconds(0.001, 2, 45).map((ms) => ({ do: 'clock' as const, ms })),
);

const header: Arb<Action> = fc.constantFrom<Action>(
  { do: 'header', name: 'Set-Cookie', value: 'theme=dark' },
  { do: 'header', name: 'Set-Cookie', value: ['theme=dark', 'lang=eo; Path=/'] },
  { do: 'header', name: 'X-App', value: 'yes' },
);

const action: Arb<Action> = fc.oneof(
  { weight: 8, arbitrary: change },
  { weight: 5, arbitrary: sessionMethod },
  { weight: 3, arbitrary: cookieChange },
  { weight: 2, arbitrary: pause },
  { weight: 1, arbitrary: header },
);

const body: Arb<Body> = fc.constantFrom<Body>(
  null,
  { text: '' },
  { text: 'hello' },
  { text: 'ünïcødé ☃' },
  { text: 'ÿ', encoding: 'latin1' },
  { text: 'aGVsbG8=', encoding: 'base64' },
  { base64: 'AAH/gA==' },
);

const status = fc.constantFrom(200, 201, 204, 304, 404);

const ending: Arb<Ending> = fc.oneof(
  fc.record({ by: fc.constant('end' as const), status, body, twice: fc.boolean() }),
  fc.record({ by: fc.constantFrom('length' as const, 'flushHeaders' as const), body }),
  fc.record(
    {
      by: fc.constant('writeHead' as const),
      status,
      reason: fc.constant('Fine'),
      headers: fc.constantFrom<Record<string, string> | string[]>(
        { 'X-App': 'yes', 'Content-Type': 'text/plain' },
        { 'Set-Cookie': 'theme=dark' },
        ['X-Other', 'yes', 'Content-Type', 'text/plain'],
      ),
      body,
    },
    { requiredKeys: ['by', 'status', 'body'] },
  ),
  fc.record({
    by: fc.constant('stream' as const),
    parts: fc.array(
      fc.record({ text: fc.constantFrom('one', 'two ☃'), meanwhile: fc.array(action, { maxLength: 3 }) }),
      { minLength: 1, maxLength: 3 },
    ),
    last: body,
  }),
  fc.record({ by: fc.constant('pipe' as const), text: fc.constant('some words to pipe') }),
  fc.record({ by: fc.constant('redirect' as const), to: fc.constant('/elsewhere') }),
  fc.record({
    by: fc.constant('send' as const),
    status: fc.constantFrom(200, 404),
    text: fc.constantFrom('', 'sent ☃'),
  }),
  fc.record({ by: fc.constant('json' as const), value: fc.constantFrom<unknown>({ ok: true }, null) }),
  fc.record({ by: fc.constant('sendStatus' as const), status: fc.constantFrom(200, 204, 500) }),
  fc.record({ by: fc.constant('throw' as const), message: fc.constant('the handler failed') }),
  fc.constantFrom<Ending>({ by: 'next' }, { by: 'next', message: 'the handler says no' }),
);

const cookieToSend: Arb<CookieToSend> = fc.oneof(
  { weight: 7, arbitrary: fc.constant<CookieToSend>('latest') },
  {
    weight: 3,
    arbitrary: fc.constantFrom<CookieToSend>(
      ...(['first', 'none', 'tampered', 'truncated', 'unsigned', 'unknown', 'old secret'] as const),
      { header: 'other=1; {pair}; {name}=second' },
    ),
  },
);

const requestHeaders = fc.constantFrom<Record<string, string>>(
  {},
  { 'X-Forwarded-Proto': 'https' },
  { 'X-Forwarded-Proto': 'HTTPS , http' },
  { 'X-Forwarded-Proto': 'http, https' },
  { 'If-None-Match': '*' },
);

const request: Arb<RequestSpec> = fc.record(
  {
    method: fc.constantFrom('GET', 'GET', 'POST', 'HEAD'),
    path: fc.constantFrom('/', '/app/page', '/application', '/?q=/app'),
    headers: requestHeaders,
    cookie: cookieToSend,
    after: seconds(0, 1, 40, 7200),
    store: fc.constantFrom('connect', 'connect', 'connect', 'disconnect'),
    actions: fc.array(action, { maxLength: 5 }),
    ending,
  },
  { requiredKeys: ['cookie', 'actions', 'ending'] },
) as Arb<RequestSpec>;

const cookie: Arb<CookieSpec> = fc
  .record(
    {
      maxAge: fc.constantFrom(null, 0, 1_000, 60_000, 86_400_000),
      expiresIn: fc.constantFrom(60_000, 3_600_000),
      httpOnly: fc.boolean(),
      secure: fc.constantFrom(true, false, 'auto'),
      sameSite: fc.constantFrom(true, false, 'lax', 'strict', 'none', 'auto'),
      path: fc.constantFrom('/', '/app'),
      domain: fc.constant('example.com'),
      partitioned: fc.boolean(),
      priority: fc.constantFrom('low', 'medium', 'high'),
      asFunction: fc.constant(true),
    },
    { requiredKeys: [] },
  )
  // The real one doesn't resolve 'auto' in what a function returns: listed in differences.ts.
  .filter(
    ({ asFunction, secure, sameSite }) => !asFunction || (secure !== 'auto' && sameSite !== 'auto'),
  ) as Arb<CookieSpec>;

const options: Arb<OptionsSpec> = fc
  .record(
    {
      resave: fc.boolean(),
      saveUninitialized: fc.boolean(),
      rolling: fc.boolean(),
      unset: fc.constantFrom('keep', 'destroy'),
      proxy: fc.boolean(),
      encrypted: fc.boolean(),
      trustProxy: fc.boolean(),
      name: fc.constantFrom('sid', 'connect.sid', 'a.b+c'),
      nameAsKey: fc.boolean(),
      secret: fc.constantFrom('text', 'rotated', 'buffer', 'req.secret'),
      cookie,
      cookieParser: fc.boolean(),
      mounts: fc.constantFrom(1, 2),
    },
    { requiredKeys: ['resave', 'saveUninitialized', 'secret'] },
  )
  // Without cookie-parser nobody sets req.secret; a scripted scenario has that case.
  .map((spec) => (spec.secret === 'req.secret' ? { ...spec, cookieParser: true } : spec)) as Arb<OptionsSpec>;

const fault: Arb<Fault> = fc.record({
  operation: fc.constantFrom('get', 'set', 'touch', 'destroy'),
  on: fc.integer({ min: 1, max: 3 }),
});

function store(faults: Arb<Fault[]>): Arb<StoreSpec> {
  const recording = fc.record({
    kind: fc.constant('recording' as const),
    touch: fc.boolean(),
    turns: fc.constantFrom(0, 1, 3),
    missing: fc.constantFrom('undefined', 'null', 'ENOENT'),
    faults,
  });
  const own = fc
    .constantFrom('memory' as const, 'default' as const)
    .map((kind): StoreSpec => ({ kind, touch: true, turns: 1, missing: 'undefined' }));
  return fc.oneof({ weight: 8, arbitrary: recording }, { weight: 2, arbitrary: own });
}

/** Any scenario, now and then with a store that fails. */
export const scenario: Arb<Scenario> = scenarioOver(
  fc.oneof(
    { weight: 3, arbitrary: fc.constant<Fault[]>([]) },
    { weight: 1, arbitrary: fc.array(fault, { minLength: 1, maxLength: 2 }) },
  ),
);

/** A scenario with a store that works, so that every response is what the handler made it. */
export const faultlessScenario: Arb<Scenario> = scenarioOver(fc.constant([]));

function scenarioOver(faults: Arb<Fault[]>): Arb<Scenario> {
  return fc
    .record({
      host: fc.constantFrom(...HOSTS),
      options,
      store: store(faults),
      requests: fc.array(request, { minLength: 1, maxLength: 5 }),
    })
    .filter((each) => !(spoilsItsCookie(each) && hasOtherErrors(each)))
    .filter((each) => !(each.options.unset === 'destroy' && failsToLoad(each)))
    .map((each) => (each.store.kind === 'recording' ? each : withoutShortLives(each)))
    .map(withDescription);
}

/** Listed in differences.ts: when a bad cookie and another error come together, the order of the two errors. */
function spoilsItsCookie(scenario: Scenario): boolean {
  return /"(bogus|\/a;b)"/.test(JSON.stringify(scenario));
}

function hasOtherErrors({ store, requests }: Scenario): boolean {
  const passedOn = requests.some(({ ending }) => ending.by === 'next' || ending.by === 'throw');
  return passedOn || (store.faults ?? []).length > 0;
}

function failsToLoad({ store }: Scenario): boolean {
  return store.faults?.some(({ operation }) => operation === 'get') ?? false;
}

/** Listed in differences.ts: over our memory store, no session may expire during the request that uses it. */
function withoutShortLives({ options, requests, ...rest }: Scenario): Scenario {
  const { expiresIn: _, ...cookie } = options.cookie ?? {};
  return {
    ...rest,
    options: { ...options, cookie: { ...cookie, ...(cookie.maxAge === 0 && { maxAge: 1_000 }) } },
    requests: requests.map((each) => ({
      ...each,
      actions: each.actions.filter(staysAlive),
      ending: calm(each.ending),
    })),
  };
}

function staysAlive(action: Action): boolean {
  if (action.do === 'clock') return false;
  if (action.do === 'cookie expires') return !(typeof action.in === 'number' && action.in <= 0);
  return !(action.do === 'cookie' && typeof action.value === 'number' && action.value <= 0);
}

function calm(ending: Ending): Ending {
  if (ending.by !== 'stream') return ending;
  return {
    ...ending,
    parts: ending.parts.map(({ text, meanwhile }) => ({ text, meanwhile: meanwhile.filter(staysAlive) })),
  };
}

/** Makes fast-check print the scenario in words. */
function withDescription(scenario: Scenario): Scenario {
  return Object.defineProperty({ ...scenario }, fc.toStringMethod, {
    value: () => describeScenario(scenario),
  });
}
