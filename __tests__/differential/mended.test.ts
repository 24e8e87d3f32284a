/** What ours does where it differs from express-session on purpose: the entries of differences.ts. */
import { useFrozenClock } from './clock.js';
import { expectPlainBytes, expectSame } from './compare.js';
import { ignoreWarnings } from './deprecations.js';
import { comparable } from './differences.js';
import type { Action, CookieSpec, RequestSpec, Scenario } from './scenario.js';
import { ours, real } from './subjects.js';
import { type Transcript, transcribe } from './transcribe.js';

useFrozenClock();
ignoreWarnings();

const write: Action = { do: 'write', key: 'a', value: 1 };
const end = { by: 'end', body: { text: 'ok' } } as const;
const login: RequestSpec = { cookie: 'none', actions: [write], ending: end };
const visit: RequestSpec = { cookie: 'latest', actions: [], ending: end };

const base: Scenario = {
  host: 'http',
  options: { resave: false, saveUninitialized: false, secret: 'text' },
  store: { kind: 'recording', touch: true, turns: 1, missing: 'undefined' },
  requests: [login],
};

function statuses({ exchanges }: Transcript): number[] {
  return exchanges.map(({ response }) => Number(response.status.split(' ')[1]));
}

/** The session that each handler met. */
function ids({ exchanges }: Transcript): unknown[] {
  return exchanges.map(({ log }) => log[0]?.id);
}

function errors({ exchanges }: Transcript): string[][] {
  return exchanges.map((exchange) => exchange.errors.map(({ message }) => message));
}

function operations({ exchanges }: Transcript): string[] {
  return exchanges.map(({ calls }) => calls.map(({ operation }) => operation).join(' '));
}

function setCookies({ exchanges }: Transcript): number[] {
  return exchanges.map(({ response }) => response.headers.filter(([name]) => name === 'Set-Cookie').length);
}

test.each<CookieSpec>([
  { secure: 'auto', sameSite: 'auto' },
  { secure: 'auto', maxAge: 60_000 },
  { sameSite: 'auto' },
])("'auto' in what a cookie function returns is resolved as in an object: %j", async (cookie) => {
  for (const proxy of [true, false]) {
    const options = { ...base.options, proxy, cookie };
    const requests = [login, visit].map((each) => ({ ...each, headers: { 'X-Forwarded-Proto': 'https' } }));
    const expected = await transcribe(real, { ...base, options, requests });
    const asFunction = { ...options, cookie: { ...cookie, asFunction: true } };
    const actual = await transcribe(ours, { ...base, options: asFunction, requests });
    expect(comparable(actual)).toStrictEqual(comparable(expected));
  }
});

test('a session changed between writeHead and end gets its cookie', async () => {
  const late: RequestSpec = {
    ...visit,
    ending: { by: 'writeHead', status: 200, meanwhile: [write], body: { text: 'ok' } },
  };
  const transcript = await transcribe(ours, { ...base, requests: [late, visit] });
  expect(setCookies(transcript)).toStrictEqual([1, 0]);
  expect(operations(transcript)).toStrictEqual(['set', 'get touch']);
});

test('the touch at the end may give a cookie its expiry, and is in time for the headers of writeHead', async () => {
  const prolong: Action = { do: 'cookie', property: 'originalMaxAge', value: 60_000 };
  const late: RequestSpec = {
    ...visit,
    actions: [prolong, { do: 'write', key: 'a', value: 2 }],
    ending: { by: 'writeHead', status: 200, body: null },
  };
  const transcript = await transcribe(ours, { ...base, requests: [login, late] });
  expect(transcript.exchanges[1]!.response.raw).toContain('; Expires=Tue, 15 Jan 2030 12:01:00 GMT');
});

test('writeHead with an array leaves the headers that are set already in their place', async () => {
  for (const host of ['http', 'express4', 'express5'] as const) {
    await expectPlainBytes({
      ...base,
      host,
      requests: [
        {
          ...login,
          actions: [
            write,
            { do: 'header', name: 'X-A', value: '1' },
            { do: 'header', name: 'X-B', value: '2' },
          ],
          ending: { by: 'writeHead', status: 200, headers: ['X-C', '3', 'X-A', '4'], body: { text: 'ok' } },
        },
      ],
    });
  }
});

test('writeHead with a list of an odd length is refused as by plain node:http, beside headers that are set or not', async () => {
  for (const actions of [[write], [write, { do: 'header', name: 'X-A', value: '1' } as Action]]) {
    const ending: RequestSpec['ending'] = { by: 'writeHead', status: 200, headers: ['X-B'], body: null };
    const transcript = await transcribe(ours, { ...base, requests: [{ ...login, actions, ending }] });
    expect(errors(transcript)[0]![0]).toMatch('ERR_INVALID_ARG_VALUE');
    expect(statuses(transcript)).toStrictEqual([500]);
  }
});

test('a `j:` cookie behind cookie-parser gets a fresh session', async () => {
  const hostile: RequestSpec = { ...login, cookie: { header: '{name}=j%3A%7B%22a%22%3A1%7D' } };
  const options = { ...base.options, cookieParser: true };
  const transcript = await transcribe(ours, { ...base, options, requests: [hostile, visit] });
  expect(statuses(transcript)).toStrictEqual([200, 200]);
  expect(ids(transcript)).toStrictEqual(['session/1', 'session/1']);
});

test('a name that no cookie can have is refused at start', () => {
  const options = { resave: false, saveUninitialized: false, secret: 'x', name: 'my session' };
  expect(() => ours(options)).toThrow(/^name option must be a cookie name: .*; got "my session"$/);
});

test('a name with a prefix that the attributes do not keep is refused at start', () => {
  const options = { resave: false, saveUninitialized: false, secret: 'x', name: '__Host-sid' };
  expect(() => ours(options)).toThrow(/^cookie.secure option must be true for a cookie called __Host-sid/);
});

test.each(['{name}=x; {pair}', '{name}=; {pair}', '{name}=s%3Aother.x; {pair}'])(
  'of several cookies of our name, the one that verifies counts: %s',
  async (header) => {
    const transcript = await transcribe(ours, {
      ...base,
      requests: [login, { ...visit, cookie: { header } }],
    });
    expect(ids(transcript)).toStrictEqual(['session/1', 'session/1']);
  },
);

test.each([5, 'path=/', true])('cookie: %p is refused at start', (cookie) => {
  const options = { resave: false, saveUninitialized: false, secret: 'x', cookie };
  expect(() => ours(options)).toThrow(/^cookie option must be an object or a function; got /);
});

test.each(['toString', 'constructor', '__proto__'])('a cookie may be called %s', async (name) => {
  const requests: RequestSpec[] = [{ ...login, cookie: { header: 'other=1' } }, visit];
  const transcript = await transcribe(ours, { ...base, options: { ...base.options, name }, requests });
  expect(statuses(transcript)).toStrictEqual([200, 200]);
  expect(ids(transcript)).toStrictEqual(['session/1', 'session/1']);
});

describe('a bad cookie and a failing store', () => {
  const spoil: Action = { do: 'cookie', property: 'sameSite', value: 'bogus' };

  test('both errors reach the app, after the response', async () => {
    const transcript = await transcribe(ours, {
      ...base,
      store: { ...base.store, faults: [{ operation: 'set', on: 1 }] },
      requests: [{ ...login, actions: [write, spoil] }],
    });
    expect(transcript.exchanges[0]!.errors).toStrictEqual([
      { message: 'Error: set 1 failed', headersSent: true },
      { message: 'TypeError: option sameSite is invalid', headersSent: true },
    ]);
    expect(transcript.exchanges[0]!.response).toMatchObject({ body: 'ok', complete: true });
  });
});

describe('a session that expires in the memory store during the request that uses it', () => {
  test('is not stored again', async () => {
    const transcript = await transcribe(ours, {
      ...base,
      options: { ...base.options, cookie: { maxAge: 10_000 } },
      store: { ...base.store, kind: 'memory' },
      requests: [
        login,
        {
          ...visit,
          actions: [
            { do: 'clock', ms: 10_000 },
            { do: 'write', key: 'a', value: 2 },
          ],
        },
        visit,
      ],
    });
    expect(ids(transcript)).toStrictEqual(['session/1', 'session/1', 'session/2']);
    expect(setCookies(transcript)).toStrictEqual([1, 0, 0]);
    expect(transcript.stored).toStrictEqual({});
  });
});

test('a session that could not be read is not destroyed, whatever `unset` says', async () => {
  const transcript = await transcribe(ours, {
    ...base,
    options: { ...base.options, unset: 'destroy' },
    store: { ...base.store, faults: [{ operation: 'get', on: 1 }] },
    requests: [login, visit, visit],
  });
  expect(errors(transcript)).toStrictEqual([[], ['Error: get 1 failed'], []]);
  expect(operations(transcript)).toStrictEqual(['set', 'get', 'get touch']);
  expect(ids(transcript)).toStrictEqual(['session/1', undefined, 'session/1']);
});

describe('what makes end() of the real one throw, so that it never answers', () => {
  test('a text as cookie.expires', async () => {
    const change: Action = { do: 'cookie', property: 'expires', value: 'Tue, 15 Jan 2030 12:30:00 GMT' };
    const transcript = await transcribe(ours, {
      ...base,
      requests: [{ ...login, actions: [write, change] }, login],
    });
    expect(statuses(transcript)).toStrictEqual([200, 200]);
    expect(errors(transcript)).toStrictEqual([['TypeError: maxAge must be a number or Date'], []]);
  });

  test('an originalMaxAge that is a text in the stored record', async () => {
    const record = '{"cookie":{"originalMaxAge":"1000","expires":"2040-01-01T00:00:00.000Z"},"a":1}';
    const transcript = await transcribe(ours, {
      ...base,
      store: { ...base.store, records: { known: record } },
      requests: [{ ...visit, cookie: { id: 'known' } }],
    });
    expect(statuses(transcript)).toStrictEqual([200]);
    expect(errors(transcript)).toStrictEqual([['TypeError: maxAge must be a number or Date']]);
  });

  test('data that has no JSON', async () => {
    const transcript = await transcribe(ours, {
      ...base,
      requests: [{ ...login, actions: [{ do: 'write', key: 'big', value: 1n }] }],
    });
    expect(statuses(transcript)).toStrictEqual([200]);
    expect(errors(transcript)).toStrictEqual([['TypeError: Do not know how to serialize a BigInt']]);
  });
});

test('reload() of a record that is no session: its caller gets the error', async () => {
  const transcript = await transcribe(ours, {
    ...base,
    store: { ...base.store, records: { 'session/1': '{"a":1}' } },
    requests: [{ ...visit, cookie: 'none', actions: [{ do: 'reload' }] }],
  });
  expect(transcript.exchanges[0]!.log[1]).toMatchObject({
    action: 'reload',
    outcome: expect.stringMatching(/^TypeError: /),
  });
});

test('save(callback) and reload(callback) return the session', async () => {
  const { exchanges } = await expectSame({
    ...base,
    requests: [{ ...login, actions: [write, { do: 'save' }, { do: 'reload' }] }],
  });
  expect(exchanges[0]!.log.slice(2).map(({ returned }) => returned)).toStrictEqual([
    'the session',
    'the session',
  ]);
});
