import {
  type CookieAction,
  cookieAction,
  type LifecyclePolicy,
  type SessionFacts,
  type SessionState,
  type StoreAction,
  storeAction,
} from '../lib/lifecycle.js';

const STATES: readonly SessionState[] = [
  ...(['absent', 'new', 'unchanged', 'modified', 'unset', 'cleared', 'destroyed'] as const),
];
const LIVE: ReadonlySet<SessionState> = new Set(['new', 'unchanged', 'modified']);
const FLAGS = [false, true] as const;

const someFacts: SessionFacts = {
  state: 'unchanged',
  known: true,
  saved: 'current',
  expires: false,
  cookieChanged: false,
  touches: true,
  outdatedCookie: false,
  browserHasCookie: true,
};

const somePolicy: LifecyclePolicy = {
  resave: false,
  rolling: false,
  saveUninitialized: false,
  unset: 'keep',
  clearCookie: false,
  canTouch: true,
};

/** What a row of the table differs in from a request that does nothing with its stored session. */
type Row = [string, Partial<SessionFacts>, Partial<LifecyclePolicy>, StoreAction, CookieAction];

const isNew = { state: 'new', known: false, saved: 'never', browserHasCookie: false } as const;
const filled = { ...isNew, state: 'modified' } as const;
const changed = { state: 'modified', saved: 'stale' } as const;

const rows: Row[] = [
  [
    'there is no session',
    { state: 'absent' },
    { unset: 'destroy', clearCookie: true, rolling: true },
    'nothing',
    'nothing',
  ],

  ['a new session, empty', isNew, {}, 'nothing', 'nothing'],
  ['a new session, empty, rolling', isNew, { rolling: true }, 'nothing', 'nothing'],
  ['a new session, empty, expiring', { ...isNew, expires: true }, {}, 'nothing', 'nothing'],
  ['a new session, empty, saveUninitialized', isNew, { saveUninitialized: true }, 'create', 'send'],
  ['a new session, empty, saved by the app', { ...isNew, saved: 'current' }, {}, 'nothing', 'nothing'],
  ['a new session, filled', filled, {}, 'create', 'send'],
  ['a new session, filled, saveUninitialized', filled, { saveUninitialized: true }, 'create', 'send'],
  ['a new session, filled and saved by the app', { ...filled, saved: 'current' }, {}, 'nothing', 'send'],
  ['a new session, filled, saved and changed again', { ...filled, saved: 'stale' }, {}, 'create', 'send'],
  [
    'a new session in place of an unknown one',
    { ...isNew, browserHasCookie: true },
    {},
    'nothing',
    'nothing',
  ],
  ['a new session, its cookie changed', { ...isNew, cookieChanged: true }, {}, 'nothing', 'nothing'],
  ['a new session, outdated cookie', { ...isNew, outdatedCookie: true }, {}, 'nothing', 'nothing'],
  [
    'a new session, empty, that does not touch',
    { ...isNew, touches: false },
    { saveUninitialized: true },
    'create',
    'send',
  ],

  ['a stored session, read', {}, {}, 'touch', 'nothing'],
  ['a stored session, read, expiring', { expires: true }, {}, 'touch', 'nothing'],
  ['a stored session, read, rolling', {}, { rolling: true }, 'touch', 'send'],
  ['a stored session, read, in a request that does not touch', { touches: false }, {}, 'nothing', 'nothing'],
  ['the same, rolling', { touches: false }, { rolling: true }, 'nothing', 'nothing'],
  ['a stored session, read, in a store that cannot touch', {}, { canTouch: false }, 'nothing', 'nothing'],
  ['the same, rolling', {}, { canTouch: false, rolling: true }, 'nothing', 'send'],
  [
    'a stored session, read, resave',
    { saved: 'never' },
    { resave: true, saveUninitialized: true },
    'write',
    'nothing',
  ],
  [
    'a stored session, read, resave, not saveUninitialized',
    { saved: 'never' },
    { resave: true },
    'write',
    'nothing',
  ],
  ['a stored session, changed', changed, {}, 'write', 'nothing'],
  ['a stored session, changed, expiring', { ...changed, expires: true }, {}, 'write', 'send'],
  ['a stored session, changed, rolling', changed, { rolling: true }, 'write', 'send'],
  [
    'a stored session, changed, rolling, in a request that does not touch',
    { ...changed, touches: false },
    { rolling: true },
    'write',
    'nothing',
  ],
  [
    'a stored session, changed and saved by the app',
    { ...changed, saved: 'current' },
    {},
    'touch',
    'nothing',
  ],
  ['the same, expiring', { ...changed, saved: 'current', expires: true }, {}, 'touch', 'send'],
  ['a stored session, changed back after a save', { saved: 'stale' }, {}, 'write', 'nothing'],
  ['a stored session, its cookie changed', { cookieChanged: true }, {}, 'touch', 'send'],
  ['a stored session, outdated cookie', { outdatedCookie: true }, {}, 'touch', 'send'],
  [
    'a stored session, outdated cookie, in a request that does not touch',
    { outdatedCookie: true, touches: false },
    {},
    'nothing',
    'send',
  ],
  ['a stored session under a new id', { ...changed, known: false }, {}, 'create', 'send'],

  ['unset', { state: 'unset' }, {}, 'nothing', 'nothing'],
  ["unset, 'destroy'", { state: 'unset' }, { unset: 'destroy' }, 'delete', 'nothing'],
  ['unset, clearCookie', { state: 'unset' }, { clearCookie: true }, 'nothing', 'nothing'],
  [
    "unset, 'destroy', clearCookie",
    { state: 'unset' },
    { unset: 'destroy', clearCookie: true },
    'delete',
    'expire',
  ],
  [
    "unset, 'destroy', clearCookie, no cookie",
    { state: 'unset', browserHasCookie: false },
    { unset: 'destroy', clearCookie: true },
    'delete',
    'nothing',
  ],

  ['destroyed', { state: 'destroyed' }, {}, 'nothing', 'nothing'],
  ["destroyed, 'destroy'", { state: 'destroyed' }, { unset: 'destroy' }, 'delete', 'nothing'],
  ['destroyed, clearCookie', { state: 'destroyed' }, { clearCookie: true }, 'nothing', 'expire'],
  [
    'destroyed, clearCookie, no cookie',
    { state: 'destroyed', browserHasCookie: false },
    { clearCookie: true },
    'nothing',
    'nothing',
  ],

  ['cleared', { state: 'cleared', known: false }, {}, 'delete', 'expire'],
  [
    'cleared, no cookie',
    { state: 'cleared', known: false, browserHasCookie: false },
    {},
    'delete',
    'nothing',
  ],
];

test.each(rows)('%s', (_name, facts, policy, store, cookie) => {
  const all = [
    { ...someFacts, ...facts },
    { ...somePolicy, ...policy },
  ] as const;
  expect({ store: storeAction(...all), cookie: cookieAction(...all) }).toEqual({ store, cookie });
});

/** All facts that can be stated. */
function* everyFacts(): Generator<SessionFacts> {
  for (const state of STATES)
    for (const known of FLAGS)
      for (const saved of ['never', 'stale', 'current'] as const)
        for (const expires of FLAGS)
          for (const cookieChanged of FLAGS)
            for (const touches of FLAGS)
              for (const outdatedCookie of FLAGS)
                for (const browserHasCookie of FLAGS)
                  yield {
                    state,
                    known,
                    saved,
                    expires,
                    cookieChanged,
                    touches,
                    outdatedCookie,
                    browserHasCookie,
                  };
}

/** All options that can be chosen. */
function* everyPolicy(): Generator<LifecyclePolicy> {
  for (const resave of FLAGS)
    for (const rolling of FLAGS)
      for (const saveUninitialized of FLAGS)
        for (const unset of ['keep', 'destroy'] as const)
          for (const clearCookie of FLAGS)
            for (const canTouch of FLAGS)
              yield { resave, rolling, saveUninitialized, unset, clearCookie, canTouch };
}

interface Decision {
  facts: SessionFacts;
  policy: LifecyclePolicy;
  store: StoreAction;
  cookie: CookieAction;
}

const decisions: Decision[] = [...everyFacts()].flatMap((facts) =>
  [...everyPolicy()].map((policy) => ({
    facts,
    policy,
    store: storeAction(facts, policy),
    cookie: cookieAction(facts, policy),
  })),
);

/** The decisions, among those that match, that break a rule. */
function exceptions(
  matches: (decision: Decision) => boolean,
  holds: (decision: Decision) => boolean,
): Decision[] {
  const matching = decisions.filter(matches);
  expect(matching.length).toBeGreaterThan(0);
  return matching.filter((decision) => !holds(decision));
}

describe('whatever else is the case', () => {
  test('without a session nothing happens', () => {
    const found = exceptions(
      ({ facts }) => facts.state === 'absent',
      ({ store, cookie }) => store === 'nothing' && cookie === 'nothing',
    );
    expect(found).toEqual([]);
  });

  test('a live session is never deleted, nor its cookie expired', () => {
    const found = exceptions(
      ({ facts }) => LIVE.has(facts.state),
      ({ store, cookie }) => store !== 'delete' && cookie !== 'expire',
    );
    expect(found).toEqual([]);
  });

  test('a session that is gone is never written, nor its cookie sent', () => {
    const found = exceptions(
      ({ facts }) => !LIVE.has(facts.state),
      ({ store, cookie }) => (store === 'delete' || store === 'nothing') && cookie !== 'send',
    );
    expect(found).toEqual([]);
  });

  test('a cookie is expired only where the browser has one', () => {
    const found = exceptions(
      ({ facts }) => !facts.browserHasCookie,
      ({ cookie }) => cookie !== 'expire',
    );
    expect(found).toEqual([]);
  });

  test('only a known session is touched or written in place, only an unknown one created', () => {
    const found = exceptions(
      () => true,
      ({ facts, store }) => {
        if (store === 'touch' || store === 'write') return facts.known;
        return store !== 'create' || !facts.known;
      },
    );
    expect(found).toEqual([]);
  });

  test('a new session that gets a record gets a cookie', () => {
    const found = exceptions(
      ({ facts, store }) => facts.state === 'modified' && store === 'create',
      ({ cookie }) => cookie === 'send',
    );
    expect(found).toEqual([]);
  });

  test('what is not stored yet, and was changed, is stored', () => {
    const found = exceptions(
      ({ facts }) => facts.state === 'modified' && facts.saved !== 'current',
      ({ store }) => store === 'write' || store === 'create',
    );
    expect(found).toEqual([]);
  });
});

/** express-session 1.19's own words, for the options and the facts that it knows. */
function expressSession({ state, known, saved, expires }: SessionFacts, policy: LifecyclePolicy): unknown {
  const isModified = state === 'modified';
  const isSaved = saved === 'current';
  const shouldSave = !policy.saveUninitialized && saved === 'never' && !known ? isModified : !isSaved;
  const shouldTouch = policy.canTouch && known && !shouldSave;
  const shouldSetCookie = !known
    ? policy.saveUninitialized || isModified
    : policy.rolling || (expires && isModified);
  return { set: shouldSave, touch: shouldTouch, destroy: false, cookie: shouldSetCookie };
}

function expressSessionWithout({ state }: SessionFacts, policy: LifecyclePolicy): unknown {
  return {
    set: false,
    touch: false,
    destroy: state !== 'absent' && policy.unset === 'destroy',
    cookie: false,
  };
}

test('decides as express-session, where only its options and features are used', () => {
  const comparable = decisions.filter(
    ({ facts, policy }) =>
      !(facts.cookieChanged || facts.outdatedCookie || policy.clearCookie) &&
      facts.touches &&
      facts.state !== 'cleared',
  );
  expect(comparable).toHaveLength(6 * 2 * 3 * 2 * 2 * 32);
  for (const { facts, policy, store, cookie } of comparable) {
    const ours = {
      set: store === 'write' || store === 'create',
      touch: store === 'touch',
      destroy: store === 'delete',
      cookie: cookie === 'send',
    };
    const expected = LIVE.has(facts.state)
      ? expressSession(facts, policy)
      : expressSessionWithout(facts, policy);
    expect({ facts, policy, ...ours }).toEqual({ facts, policy, ...(expected as object) });
  }
});
