import type { DecisionMade } from '../../lib/decisions.js';
import { explain } from '../../lib/inspector/explain.js';
import {
  cookieAction,
  type LifecyclePolicy,
  type SessionFacts,
  type SessionState,
  storeAction,
} from '../../lib/lifecycle.js';

const FLAGS = [false, true] as const;
const STATES: readonly SessionState[] = [
  ...(['absent', 'new', 'unchanged', 'modified', 'unset', 'cleared', 'destroyed', 'interrupted'] as const),
];

/** A request that does nothing with its stored session. */
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

function explained(facts: SessionFacts, policy: LifecyclePolicy, withheld = false): [string, string] {
  const store: DecisionMade = { what: 'store', action: storeAction(facts, policy) };
  const cookie: DecisionMade = { what: 'cookie', action: cookieAction(facts, policy), withheld };
  return [explain(store, facts, policy), explain(cookie, facts, policy)];
}

type Row = [string, Partial<SessionFacts>, Partial<LifecyclePolicy>, string, string];

const isNew = { state: 'new', known: false, saved: 'never', browserHasCookie: false } as const;
const filled = { ...isNew, state: 'modified' } as const;
const changed = { state: 'modified', saved: 'stale' } as const;
const savedByApp = { state: 'modified', saved: 'current' } as const;

const rows: Row[] = [
  [
    'no session',
    { state: 'absent' },
    {},
    'not stored: the request has no session',
    'no Set-Cookie: the request has no session',
  ],
  [
    'new, empty',
    isNew,
    {},
    'not stored: unmodified and saveUninitialized is false',
    'no Set-Cookie: unmodified and saveUninitialized is false',
  ],
  [
    'new, empty, saveUninitialized',
    isNew,
    { saveUninitialized: true },
    'created: unmodified but saveUninitialized is true',
    'Set-Cookie: unmodified but saveUninitialized is true',
  ],
  ['new, filled', filled, {}, 'created: new and modified', 'Set-Cookie: new to the browser and modified'],
  [
    'new, filled, saveUninitialized',
    filled,
    { saveUninitialized: true },
    'created: new and modified',
    'Set-Cookie: new to the browser and modified',
  ],
  [
    'new, filled, saved by the app',
    { ...filled, saved: 'current' },
    {},
    'not stored: the app has saved it already',
    'Set-Cookie: new to the browser and modified',
  ],
  [
    'new, saved by the app, changed again',
    { ...filled, saved: 'stale' },
    {},
    'created: modified since the app saved it',
    'Set-Cookie: new to the browser and modified',
  ],
  [
    'new, saved by the app without a change',
    { ...isNew, saved: 'current' },
    {},
    'not stored: the app has saved it already',
    'no Set-Cookie: unmodified and saveUninitialized is false',
  ],
  [
    'stored, read',
    {},
    {},
    'touched: unmodified and resave is false; its lifetime starts anew',
    'no Set-Cookie: unmodified and rolling is false',
  ],
  [
    'stored, read, rolling',
    {},
    { rolling: true },
    'touched: unmodified and resave is false; its lifetime starts anew',
    'Set-Cookie: rolling is true',
  ],
  [
    'stored, read, no touch',
    { touches: false },
    {},
    'not stored: unmodified and resave is false; this request does not prolong the session (options touch, touchAfter)',
    'no Set-Cookie: unmodified and rolling is false',
  ],
  [
    'stored, read, no touch, rolling',
    { touches: false },
    { rolling: true },
    'not stored: unmodified and resave is false; this request does not prolong the session (options touch, touchAfter)',
    'no Set-Cookie: unmodified and rolling is true, but this request does not prolong the session (options touch, touchAfter)',
  ],
  [
    'stored, read, store without touch',
    {},
    { canTouch: false },
    'not stored: unmodified and resave is false; the store has no touch()',
    'no Set-Cookie: unmodified and rolling is false',
  ],
  [
    'stored, read, resave',
    { saved: 'never' },
    { resave: true },
    'written: unmodified but resave is true',
    'no Set-Cookie: unmodified and rolling is false',
  ],
  [
    'stored, read, resave, saved by the app',
    {},
    { resave: true },
    'touched: the app has saved it already; its lifetime starts anew',
    'no Set-Cookie: unmodified and rolling is false',
  ],
  [
    'stored, changed, resave',
    { state: 'modified', saved: 'never' },
    { resave: true },
    'written: modified',
    'no Set-Cookie: the browser has this cookie, which has no maxAge, and rolling is false',
  ],
  [
    'stored, changed',
    changed,
    {},
    'written: modified',
    'no Set-Cookie: the browser has this cookie, which has no maxAge, and rolling is false',
  ],
  [
    'stored, changed, no touch, rolling',
    { ...changed, touches: false },
    { rolling: true },
    'written: modified',
    'no Set-Cookie: the browser has this cookie, which has no maxAge, and rolling is true, ' +
      'but this request does not prolong the session (options touch, touchAfter)',
  ],
  [
    'stored, changed, expiring',
    { ...changed, expires: true },
    {},
    'written: modified',
    'Set-Cookie: modified, so that its cookie.maxAge starts anew',
  ],
  [
    'stored, changed, saved by the app',
    savedByApp,
    {},
    'touched: the app has saved it already; its lifetime starts anew',
    'no Set-Cookie: the browser has this cookie, which has no maxAge, and rolling is false',
  ],
  [
    'the same, no touch',
    { ...savedByApp, touches: false },
    {},
    'not stored: the app has saved it already; this request does not prolong the session (options touch, touchAfter)',
    'no Set-Cookie: the browser has this cookie, which has no maxAge, and rolling is false',
  ],
  [
    'stored, its cookie changed',
    { cookieChanged: true },
    {},
    'touched: unmodified and resave is false; its lifetime starts anew',
    'Set-Cookie: the app changed the cookie and trackCookie is true',
  ],
  [
    'stored, an outdated cookie',
    { outdatedCookie: true },
    {},
    'touched: unmodified and resave is false; its lifetime starts anew',
    "Set-Cookie: the browser's cookie is outdated (options rotateAfter, resign, expireStrays)",
  ],
  [
    'all reasons for a cookie',
    { ...changed, expires: true, cookieChanged: true, outdatedCookie: true },
    { rolling: true },
    'written: modified',
    'Set-Cookie: modified, so that its cookie.maxAge starts anew; rolling is true; ' +
      "the app changed the cookie and trackCookie is true; the browser's cookie is outdated (options rotateAfter, resign, expireStrays)",
  ],
  [
    'unset, kept',
    { state: 'unset' },
    {},
    "not stored: the app unset req.session and unset is 'keep'",
    "no Set-Cookie: the app unset req.session and unset is 'keep'",
  ],
  [
    'unset, destroyed',
    { state: 'unset' },
    { unset: 'destroy' },
    "deleted: the app unset req.session and unset is 'destroy'",
    "no Set-Cookie: the app unset req.session, unset is 'destroy' and clearCookie is false",
  ],
  [
    'unset, destroyed, clearCookie',
    { state: 'unset' },
    { unset: 'destroy', clearCookie: true },
    "deleted: the app unset req.session and unset is 'destroy'",
    "Set-Cookie that expires: the app unset req.session, unset is 'destroy' and clearCookie is true",
  ],
  [
    'unset, destroyed, no cookie',
    { state: 'unset', browserHasCookie: false },
    { unset: 'destroy', clearCookie: true },
    "deleted: the app unset req.session and unset is 'destroy'",
    "no Set-Cookie: the app unset req.session, unset is 'destroy' and the browser has no cookie",
  ],
  [
    'destroyed',
    { state: 'destroyed' },
    {},
    'not stored: the app has destroyed the session already',
    'no Set-Cookie: the app destroyed the session and clearCookie is false',
  ],
  [
    'destroyed, unset destroy',
    { state: 'destroyed' },
    { unset: 'destroy', clearCookie: true },
    "deleted: the app destroyed the session and unset is 'destroy'",
    'Set-Cookie that expires: the app destroyed the session and clearCookie is true',
  ],
  [
    'destroyed, no cookie',
    { state: 'destroyed', browserHasCookie: false },
    { clearCookie: true },
    'not stored: the app has destroyed the session already',
    'no Set-Cookie: the app destroyed the session and the browser has no cookie',
  ],
  [
    'cleared',
    { state: 'cleared', known: false },
    {},
    'deleted: the app called clear()',
    'Set-Cookie that expires: the app called clear()',
  ],
  [
    'cleared, no cookie',
    { state: 'cleared', known: false, browserHasCookie: false },
    {},
    'deleted: the app called clear()',
    'no Set-Cookie: the app called clear() and the browser has no cookie',
  ],
  [
    'interrupted',
    { state: 'interrupted' },
    {},
    'not stored: another request ended the session meanwhile, or it expired',
    'no Set-Cookie: the session was ended meanwhile, maybe by a login whose cookie the browser has already',
  ],
];

test.each(rows)('%s', (_name, facts, policy, store, cookie) => {
  expect(explained({ ...someFacts, ...facts }, { ...somePolicy, ...policy })).toEqual([store, cookie]);
});

test('a cookie that needs HTTPS', () => {
  const [, cookie] = explained({ ...someFacts, ...filled }, somePolicy, true);

  expect(cookie).toBe(
    'no Set-Cookie: cookie.secure is true and the request came without HTTPS (option proxy)',
  );
});

// ---- Whatever the facts and options: a reason is given, and none that is not the case

interface Case {
  facts: SessionFacts;
  policy: LifecyclePolicy;
  store: string;
  cookie: string;
}

const cases: Case[] = [...everyFacts()].flatMap((facts) =>
  [...everyPolicy()].map((policy) => {
    const [store, cookie] = explained(facts, policy);
    return { facts, policy, store, cookie };
  }),
);

test('every decision has an outcome and a reason', () => {
  const pattern = /^(not stored|touched|written|created|deleted|(no )?Set-Cookie( that expires)?): \S.*\S$/;

  expect(cases.filter(({ store, cookie }) => !pattern.test(store) || !pattern.test(cookie))).toEqual([]);
});

const OUTCOMES = {
  nothing: ['not stored', 'no Set-Cookie'],
  touch: ['touched'],
  write: ['written'],
  create: ['created'],
  delete: ['deleted'],
  send: ['', 'Set-Cookie'],
  expire: ['', 'Set-Cookie that expires'],
} as const;

test('the outcome is the one that was decided', () => {
  const wrong = cases.filter(({ facts, policy, store, cookie }) => {
    const [stored] = OUTCOMES[storeAction(facts, policy)];
    const [, sent] = OUTCOMES[cookieAction(facts, policy)] as readonly string[];
    return !store.startsWith(`${stored}: `) || !cookie.startsWith(`${sent}: `);
  });

  expect(wrong).toEqual([]);
});

test.each(['resave', 'rolling', 'saveUninitialized', 'clearCookie'] as const)(
  'a sentence that says what %s is says so rightly',
  (option) => {
    const wrong = cases.filter(
      ({ policy, store, cookie }) =>
        store.includes(`${option} is ${!policy[option]}`) ||
        cookie.includes(`${option} is ${!policy[option]}`),
    );
    const named = cases.filter(({ store, cookie }) => `${store}${cookie}`.includes(`${option} is `));

    expect(wrong.filter(({ facts }) => isPossible(facts))).toEqual([]);
    expect(named.length).toBeGreaterThan(0);
  },
);

/** A loaded session counts as saved unless resave is true, so with resave false one can't be both known and never saved. */
function isPossible({ state, known, saved }: SessionFacts): boolean {
  if (state === 'new') return !known;
  if (state === 'unchanged') return known && saved !== 'never';
  return !(known && saved === 'never');
}

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
                    ...{ state, known, saved, expires, cookieChanged, touches },
                    ...{ outdatedCookie, browserHasCookie },
                  };
}

function* everyPolicy(): Generator<LifecyclePolicy> {
  for (const resave of FLAGS)
    for (const rolling of FLAGS)
      for (const saveUninitialized of FLAGS)
        for (const unset of ['keep', 'destroy'] as const)
          for (const clearCookie of FLAGS)
            for (const canTouch of FLAGS)
              yield { resave, rolling, saveUninitialized, unset, clearCookie, canTouch };
}
