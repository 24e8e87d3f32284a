import { START, useFrozenClock } from './clock.js';
import { expectPlainBytes, expectSame } from './compare.js';
import { ignoreWarnings } from './deprecations.js';
import type { Action, Ending, Fault, OptionsSpec, RequestSpec, Scenario, StoreSpec } from './scenario.js';
import { HOSTS } from './scenario.js';
import type { Transcript } from './transcribe.js';

useFrozenClock();
ignoreWarnings();

const OK: Ending = { by: 'end', body: { text: 'ok' } };
const store: StoreSpec = { kind: 'recording', touch: true, turns: 1, missing: 'undefined' };
const options: OptionsSpec = { resave: false, saveUninitialized: false, secret: 'text' };
const write: Action = { do: 'write', key: 'a', value: 1 };

/** A request that does this and ends. */
function request(
  cookie: RequestSpec['cookie'],
  actions: Action[] = [],
  more: Partial<RequestSpec> = {},
): RequestSpec {
  return { cookie, actions, ending: OK, ...more };
}

const login = request('none', [write]);

/** Compares the scenario, on plain node:http unless it says otherwise, and returns our transcript. */
function compare(scenario: Partial<Scenario>): Promise<Transcript> {
  return expectSame({ host: 'http', options, store, requests: [], ...scenario });
}

function operations(transcript: Transcript): string[] {
  return transcript.exchanges.map(({ calls }) => calls.map(({ operation }) => operation).join(' '));
}

function setsCookie({ exchanges }: Transcript): boolean[] {
  return exchanges.map(({ response }) => response.headers.some(([name]) => name === 'Set-Cookie'));
}

function errors({ exchanges }: Transcript): string[][] {
  return exchanges.map((exchange) =>
    exchange.errors.map(
      ({ message, headersSent }) => `${message}${headersSent ? ', too late to answer' : ''}`,
    ),
  );
}

/** What the last handler saw when it began. */
function lastSession({ exchanges }: Transcript): Record<string, unknown> | undefined {
  const text = exchanges.at(-1)?.log[0]?.session;
  return text === undefined ? undefined : JSON.parse(text);
}

describe('ignored paths', () => {
  test.each([
    ['/app', true],
    ['/app/deeper?x=1', true],
    ['/application', true],
    ['/', false],
    ['/other/app', false],
    ['/APP', false],
    ['?x=/app', false],
    ['http://localhost/app', true],
    ['//app', false],
    ['/%61pp', false],
    ['*', false],
  ])('cookie path /app, request for %s: a session %s', async (path, has) => {
    const transcript = await compare({
      options: { ...options, cookie: { path: '/app' } },
      requests: [request('none', [write], { path })],
    });
    expect(setsCookie(transcript)).toStrictEqual([has]);
  });

  test.each(HOSTS.filter((host) => host !== 'http'))(
    'mounted under a path of %s, it looks at the original URL',
    async (host) => {
      const transcript = await compare({
        host,
        options: { ...options, mountAt: '/app', cookie: { path: '/app' } },
        requests: [request('none', [write], { path: '/app/in' }), request('none', [write], { path: '/out' })],
      });
      expect(setsCookie(transcript)).toStrictEqual([true, false]);
    },
  );

  test('a function of the request gives the path', async () => {
    const transcript = await compare({
      options: { ...options, cookie: { path: '/app', asFunction: true } },
      requests: [request('none', [write], { path: '/app' }), request('none', [write], { path: '/' })],
    });
    expect(setsCookie(transcript)).toStrictEqual([true, false]);
  });
});

describe('the secret', () => {
  test('none anywhere: an error for every request', async () => {
    const transcript = await compare({
      options: { ...options, secret: 'none' },
      requests: [request('none')],
    });
    expect(errors(transcript)).toStrictEqual([['Error: secret option required for sessions']]);
  });

  test('none anywhere, but the path is ignored: no error', async () => {
    const transcript = await compare({
      options: { ...options, secret: 'none', cookie: { path: '/app' } },
      requests: [request('none')],
    });
    expect(errors(transcript)).toStrictEqual([[]]);
  });

  test('req.secret, as cookie-parser sets it, signs and verifies', async () => {
    const transcript = await compare({
      options: { ...options, secret: 'req.secret', cookieParser: true },
      requests: [login, request('latest'), request('tampered')],
    });
    expect(operations(transcript)).toStrictEqual(['set', 'get touch', '']);
  });

  test('the secret option goes before req.secret', async () => {
    const transcript = await compare({
      options: { ...options, secret: 'rotated', cookieParser: true },
      requests: [login, request('old secret', [{ do: 'read', key: 'a' }])],
    });
    expect(lastSession(transcript)).toHaveProperty('a', 1);
  });

  test('a cookie of an old secret is accepted and not signed anew', async () => {
    const transcript = await compare({
      options: { ...options, secret: 'rotated' },
      requests: [login, request('old secret'), request('old secret', [{ do: 'write', key: 'b', value: 2 }])],
    });
    expect(operations(transcript)).toStrictEqual(['set', 'get touch', 'get set']);
    expect(setsCookie(transcript)).toStrictEqual([true, false, false]);
  });

  test('a secret in a Buffer signs as its text does', async () => {
    const transcript = await compare({
      options: { ...options, secret: 'buffer' },
      requests: [login, request({ id: 'session/1' })],
    });
    expect(lastSession(transcript)).toHaveProperty('a', 1);
  });
});

describe('what cookie-parser read', () => {
  // Express joins nothing here: cookie-parser finds its cookies in the same header, after its own rules.
  test.each([
    ['a signed cookie that does not verify', 'tampered'],
    ['an unsigned value', 'unsigned'],
    ['a broken escape', { header: '{name}=%E0%A4%A' }],
    ['a JSON cookie of another name', { header: 'prefs=j:{"a":1}; {pair}' }],
    ['a broken JSON cookie', { header: '{name}=j:{' }],
  ] as const)('%s', async (_, cookie) => {
    await compare({
      options: { ...options, cookieParser: true },
      requests: [login, request(cookie, [write])],
    });
  });
});

describe('reserved names in a stored record', () => {
  const cookie = { originalMaxAge: null, expires: null, httpOnly: true, path: '/' };

  test.each([
    ...['id', 'req', 'touch', 'resetMaxAge', 'save', 'reload', 'destroy', 'regenerate'],
    ...['constructor', 'toString', 'hasOwnProperty', '__defineGetter__', 'valueOf', 'isPrototypeOf'],
  ])('%s is left out', async (name) => {
    const record = JSON.stringify({ cookie, [name]: 'from the store', kept: 1 });
    const transcript = await compare({
      store: { ...store, records: { known: record } },
      requests: [request({ id: 'known' }, [{ do: 'save' }, { do: 'touch' }, { do: 'reload' }])],
    });
    expect(JSON.parse(transcript.stored['known']!)).toStrictEqual({ cookie, kept: 1 });
  });

  test('__proto__ is left out, and pollutes nothing', async () => {
    const record = `{"cookie":${JSON.stringify(cookie)},"__proto__":{"polluted":true},"kept":1}`;
    const transcript = await compare({
      store: { ...store, records: { known: record } },
      requests: [request({ id: 'known' }, [{ do: 'read', key: 'polluted' }, write])],
    });
    expect(transcript.exchanges[0]!.log[1]).toMatchObject({ action: 'read', outcome: undefined });
    expect(transcript.stored['known']).toBe(`{"cookie":${JSON.stringify(cookie)},"kept":1,"a":1}`);
    expect(({} as Record<string, unknown>)['polluted']).toBe(undefined);
  });

  test.each(['clear', 'update', 'rotate', 'owner', 'all', 'sessions'])('%s is data', async (name) => {
    const record = JSON.stringify({ cookie, [name]: 'from the store' });
    const transcript = await compare({
      store: { ...store, records: { known: record } },
      requests: [request({ id: 'known' }, [{ do: 'read', key: name }, write])],
    });
    expect(JSON.parse(transcript.stored['known']!)).toStrictEqual({ cookie, [name]: 'from the store', a: 1 });
  });
});

describe('stored records that are odd', () => {
  const records = {
    'no cookie': '{"a":1}',
    'a null cookie': '{"cookie":null}',
    'a text as cookie': '{"cookie":"chocolate","a":1}',
    'an empty cookie': '{"cookie":{},"a":1}',
    'an array as cookie': '{"cookie":[],"a":1}',
    'a number as cookie': '{"cookie":5,"a":1}',
    'expires that is no date': '{"cookie":{"originalMaxAge":5,"expires":"soon"},"a":1}',
    'an expiry in the past': '{"cookie":{"originalMaxAge":1000,"expires":"2001-01-01T00:00:00.000Z"},"a":1}',
    'expires false': '{"cookie":{"originalMaxAge":false,"expires":false},"a":1}',
    'unknown members of the cookie':
      '{"cookie":{"originalMaxAge":null,"expires":null,"extra":1,"data":2},"a":1}',
    'an array': '[1,2]',
    'an array with a cookie-less member': '[{"cookie":{}}]',
    'an empty object': '{}',
    'a number': '5',
    zero: '0',
    'an empty text': '""',
    'a text': '"text"',
    null: 'null',
    false: 'false',
    true: 'true',
  };

  const comeAgain = [request({ id: 'known' }, [write]), request({ id: 'known' })];

  test.each(Object.entries(records))('%s', async (_, record) => {
    await compare({ store: { ...store, records: { known: record } }, requests: comeAgain });
  });

  const objects = Object.entries(records).filter(([, record]) => /^[{[]/.test(record));
  test.each(objects)('%s, in the memory store', async (_, record) => {
    await compare({ store: { ...store, kind: 'memory', records: { known: record } }, requests: comeAgain });
  });
});

describe('the store is away', () => {
  test('after disconnect there are no sessions, after connect they are back', async () => {
    const transcript = await compare({
      requests: [
        login,
        request('latest', [{ do: 'read', key: 'a' }], { store: 'disconnect' }),
        request('latest', [write]),
        request('latest', [{ do: 'read', key: 'a' }], { store: 'connect' }),
      ],
    });
    expect(operations(transcript)).toStrictEqual(['set', '', '', 'get touch']);
    expect(errors(transcript)).toStrictEqual([[], [], [], []]);
  });

  test('without a secret, a disconnected store hides that error', async () => {
    const transcript = await compare({
      options: { ...options, secret: 'none' },
      requests: [request('none', [], { store: 'disconnect' })],
    });
    expect(errors(transcript)).toStrictEqual([[]]);
  });
});

describe('an error with code ENOENT means that there is no such session', () => {
  test.each(HOSTS)('on %s', async (host) => {
    const transcript = await compare({
      host,
      store: { ...store, missing: 'ENOENT' },
      requests: [request('unknown', [write]), request('latest', [{ do: 'read', key: 'a' }])],
    });
    expect(operations(transcript)).toStrictEqual(['get set', 'get touch']);
    expect(errors(transcript)).toStrictEqual([[], []]);
  });

  test('a failing get with that code, too', async () => {
    const fault: Fault = { operation: 'get', on: 1, code: 'ENOENT' };
    const transcript = await compare({
      store: { ...store, faults: [fault] },
      requests: [login, request('latest')],
    });
    expect(errors(transcript)).toStrictEqual([[], []]);
  });

  test('but reload() hands it to its caller', async () => {
    const transcript = await compare({
      store: { ...store, missing: 'ENOENT' },
      requests: [
        login,
        request('latest', [{ do: 'destroy, unheeded' }]),
        request('none', [{ do: 'reload' }]),
      ],
    });
    expect(transcript.exchanges[2]!.log[1]).toMatchObject({ outcome: 'Error: no such record' });
  });
});

describe.each(HOSTS)('a failing store, on %s', (host) => {
  /** The second request meets the fault; the third shows that life goes on. */
  function around(fault: Fault, second: RequestSpec, more: Partial<OptionsSpec> = {}): Promise<Transcript> {
    return compare({
      host,
      options: { ...options, ...more },
      store: { ...store, faults: [fault] },
      requests: [login, second, request('latest', [{ do: 'read', key: 'a' }])],
    });
  }

  test.each([{}, { code: 'ECONNREFUSED' }, { throws: true }])(
    'get, %j: the app answers the error',
    async (how) => {
      const transcript = await around({ operation: 'get', on: 1, ...how }, request('latest'));
      expect(errors(transcript)).toStrictEqual([[], ['Error: get 1 failed'], []]);
      expect(transcript.exchanges[1]!.response.status).toBe('HTTP/1.1 500 Internal Server Error');
    },
  );

  test('set at the end: the response as written, and the error after it', async () => {
    const transcript = await around(
      { operation: 'set', on: 2 },
      request('latest', [{ do: 'write', key: 'a', value: 2 }]),
    );
    expect(errors(transcript)).toStrictEqual([[], ['Error: set 2 failed, too late to answer'], []]);
    expect(transcript.exchanges[1]!.response.body).toBe('ok');
  });

  test.each<[string, Ending]>([
    ['a redirect', { by: 'redirect', to: '/' }],
    ['an empty response', { by: 'end', body: null }],
    ['a stream', { by: 'stream', parts: [{ text: 'a', meanwhile: [] }], last: null }],
    ['a declared length', { by: 'length', body: { text: 'four' } }],
    ['a 204', { by: 'end', status: 204, body: null }],
    ['an error page', { by: 'throw', message: 'oops' }],
  ])('set at the end of %s', async (_, ending) => {
    await around(
      { operation: 'set', on: 2 },
      request('latest', [{ do: 'write', key: 'a', value: 2 }], { ending }),
    );
  });

  test('set of a new session', async () => {
    const transcript = await around({ operation: 'set', on: 2 }, request('none', [write]));
    expect(errors(transcript)).toStrictEqual([[], ['Error: set 2 failed, too late to answer'], []]);
  });

  test('set in save(): its caller gets the error, and the end does not try again', async () => {
    const transcript = await around(
      { operation: 'set', on: 2 },
      request('latest', [{ do: 'write', key: 'a', value: 2 }, { do: 'save' }]),
    );
    expect(transcript.exchanges[1]!.log[2]).toMatchObject({ action: 'save', outcome: 'Error: set 2 failed' });
    expect(errors(transcript)).toStrictEqual([[], [], []]);
  });

  test('set in a save() whose result nobody heeds', async () => {
    const transcript = await around(
      { operation: 'set', on: 2 },
      request('latest', [{ do: 'write', key: 'a', value: 2 }, { do: 'save, unheeded' }, { do: 'turn' }]),
    );
    expect(errors(transcript)).toStrictEqual([[], [], []]);
  });

  test('touch at the end', async () => {
    const transcript = await around({ operation: 'touch', on: 1 }, request('latest'));
    expect(errors(transcript)).toStrictEqual([[], ['Error: touch 1 failed, too late to answer'], []]);
  });

  test.each<Action['do']>(['null', 'delete'])('destroy at the end, by unset after %s', async (verb) => {
    const transcript = await around(
      { operation: 'destroy', on: 1 },
      request('latest', [{ do: verb } as Action]),
      { unset: 'destroy' },
    );
    expect(errors(transcript)).toStrictEqual([[], ['Error: destroy 1 failed, too late to answer'], []]);
  });

  test.each<Action['do']>(['destroy', 'regenerate'])(
    'destroy in %s(): its caller gets the error',
    async (verb) => {
      const transcript = await around(
        { operation: 'destroy', on: 1 },
        request('latest', [{ do: verb } as Action]),
      );
      expect(transcript.exchanges[1]!.log[1]).toMatchObject({
        action: verb,
        outcome: 'Error: destroy 1 failed',
      });
      expect(errors(transcript)).toStrictEqual([[], [], []]);
    },
  );

  test('destroy in a destroy() whose result nobody heeds', async () => {
    const transcript = await around(
      { operation: 'destroy', on: 1 },
      request('latest', [{ do: 'destroy, unheeded' }]),
    );
    expect(errors(transcript)).toStrictEqual([[], [], []]);
  });

  test('get in reload(): its caller gets the error, and the session stays', async () => {
    const transcript = await around({ operation: 'get', on: 2 }, request('latest', [{ do: 'reload' }]));
    expect(transcript.exchanges[1]!.log[1]).toMatchObject({
      action: 'reload',
      outcome: 'Error: get 2 failed',
    });
  });

  test('an error of the app and one of the store reach the app both', async () => {
    const transcript = await around(
      { operation: 'set', on: 2 },
      request('latest', [{ do: 'write', key: 'a', value: 2 }], { ending: { by: 'next', message: 'oops' } }),
    );
    // Express has left the app's error handler behind when the second comes; its own last resort gets it.
    const second = host === 'http' ? ['Error: set 2 failed, too late to answer'] : [];
    expect(errors(transcript)).toStrictEqual([[], ['Error: oops', ...second], []]);
  });
});

describe('methods of the session', () => {
  test('reload() of a session that is not stored', async () => {
    const transcript = await compare({ requests: [request('none', [{ do: 'reload' }, write])] });
    expect(transcript.exchanges[0]!.log[1]).toMatchObject({ outcome: 'Error: failed to load session' });
  });

  test('reload() drops what was changed', async () => {
    const transcript = await compare({
      requests: [
        login,
        request('latest', [{ do: 'write', key: 'a', value: 2 }, { do: 'reload' }, { do: 'read', key: 'a' }]),
      ],
    });
    expect(transcript.exchanges[1]!.log[3]).toMatchObject({ action: 'read', outcome: '1' });
    expect(operations(transcript)).toStrictEqual(['set', 'get get touch']);
  });

  test('save() twice, and a change after it', async () => {
    const transcript = await compare({
      requests: [
        login,
        request('latest', [{ do: 'save' }, { do: 'save' }, { do: 'write', key: 'b', value: 2 }]),
      ],
    });
    expect(operations(transcript)).toStrictEqual(['set', 'get set set set']);
  });

  test('reload() and save() keep watching for later changes', async () => {
    const transcript = await compare({
      requests: [
        login,
        request('latest', [
          { do: 'reload' },
          { do: 'write', key: 'b', value: 2 },
          { do: 'save' },
          { do: 'reload' },
        ]),
        request('latest', [
          { do: 'reload' },
          { do: 'reload' },
          { do: 'write', key: 'c', value: 3 },
          { do: 'save' },
        ]),
      ],
    });
    expect(operations(transcript)).toStrictEqual(['set', 'get get set get touch', 'get get get set touch']);
  });

  test('regenerate() of an untouched new session stores and sends it', async () => {
    const transcript = await compare({ requests: [request('none', [{ do: 'regenerate' }])] });
    expect(operations(transcript)).toStrictEqual(['destroy set']);
    expect(setsCookie(transcript)).toStrictEqual([true]);
  });

  test('regenerate() twice, then data', async () => {
    const transcript = await compare({
      requests: [
        login,
        request('latest', [{ do: 'regenerate' }, { do: 'regenerate' }, write]),
        request('first'),
      ],
    });
    expect(operations(transcript)).toStrictEqual(['set', 'get destroy destroy set', 'get']);
  });

  test.each(['recording', 'memory'] as const)(
    'save() that nobody heeds, then regenerate(), over a %s store',
    async (kind) => {
      const transcript = await compare({
        store: { ...store, kind },
        requests: [
          request('none', [{ do: 'save, unheeded' }, { do: 'regenerate' }, write]),
          request('latest'),
        ],
      });
      expect(setsCookie(transcript)).toStrictEqual([true, false]);
      expect(lastSession(transcript)).toHaveProperty('a', 1);
    },
  );

  test('store.generate() gives a new session and leaves the old one', async () => {
    const transcript = await compare({ requests: [login, request('latest', [{ do: 'generate' }, write])] });
    expect(operations(transcript)).toStrictEqual(['set', 'get set']);
    expect(Object.keys(transcript.stored)).toStrictEqual(['session/1', 'session/2']);
  });

  test('destroy() and then nothing', async () => {
    const transcript = await compare({
      options: { ...options, unset: 'destroy' },
      requests: [login, request('latest', [{ do: 'destroy' }]), request('latest')],
    });
    expect(operations(transcript)).toStrictEqual(['set', 'get destroy destroy', 'get']);
  });

  test.each<Action['do']>(['null', 'delete'])('unset: keep leaves the record after %s', async (verb) => {
    const transcript = await compare({ requests: [login, request('latest', [{ do: verb } as Action])] });
    expect(operations(transcript)).toStrictEqual(['set', 'get']);
  });

  test.each([undefined, null, 5])('with req.sessionID = %p nothing is stored or sent', async (value) => {
    const transcript = await compare({
      requests: [
        login,
        request('latest', [
          { do: 'sessionID', value },
          { do: 'write', key: 'b', value: 2 },
        ]),
      ],
    });
    expect(setsCookie(transcript)[1]).toBe(false);
  });

  describe.each([0, 1])('a store that answers after %d turns', (turns) => {
    test.each([undefined, null, 5, {}])(
      'after req.sessionID = %p, regenerate() gives a new session',
      async (value) => {
        const transcript = await compare({
          store: { ...store, turns },
          requests: [
            login,
            request('latest', [{ do: 'sessionID', value }, { do: 'regenerate' }, write]),
            request('latest'),
          ],
        });
        expect(setsCookie(transcript)).toStrictEqual([true, true, false]);
        expect(lastSession(transcript)).toHaveProperty('a', 1);
      },
    );
  });

  test('with req.sessionID = another text, the cookie names that, and nothing is stored under it', async () => {
    const transcript = await compare({
      requests: [request('none', [{ do: 'sessionID', value: 'chosen' }, write]), request('latest', [write])],
    });
    expect(setsCookie(transcript)).toStrictEqual([true, true]);
  });

  test.each(['id', 'req'])('session.%s cannot be assigned', async (name) => {
    const transcript = await compare({
      requests: [request('none', [{ do: 'write', key: name, value: 'x' }])],
    });
    expect(transcript.exchanges[0]!.log[1]!.outcome).toMatch(
      /^threw TypeError: Cannot assign to read only property/,
    );
  });
});

describe('the cookie of a session', () => {
  const changes: [string, unknown][] = [
    ['maxAge', 5_000],
    ['maxAge', 0],
    ['maxAge', -1],
    ['maxAge', null],
    ['maxAge', undefined],
    ['maxAge', 'soon'],
    ['maxAge', new Date(START + 9_000)],
    ['originalMaxAge', 5_000],
    ['expires', null],
    ['expires', false],
    ['expires', new Date(START + 9_000)],
    ['secure', true],
    ['secure', 'auto'],
    ['httpOnly', false],
    ['sameSite', 'none'],
    ['sameSite', 'bogus'],
    ['sameSite', 'auto'],
    ['path', '/deep'],
    ['path', 'a;b'],
    ['domain', 'example.com'],
    ['domain', 'exa mple;'],
    ['partitioned', true],
    ['priority', 'high'],
    ['priority', 'bogus'],
    ['unknown', 1],
  ];

  test.each(changes)('%s = %p', async (property, value) => {
    const change: Action = { do: 'cookie', property, value };
    for (const cookie of [{}, { maxAge: 60_000 }]) {
      await compare({
        options: { ...options, cookie },
        requests: [
          request('none', [change]),
          request('none', [write, change]),
          request('latest', [{ do: 'read', key: 'a' }], { after: 1_000 }),
          request('latest', [change, { do: 'write', key: 'b', value: 2 }], { after: 1_000 }),
          request('latest', [change, { do: 'save' }]),
        ],
      });
    }
  });

  test('a session cookie that cannot be serialized: the error reaches the app, the response is as written', async () => {
    const transcript = await compare({
      requests: [request('none', [write, { do: 'cookie', property: 'sameSite', value: 'bogus' }])],
    });
    expect(errors(transcript)).toStrictEqual([['TypeError: option sameSite is invalid, too late to answer']]);
  });

  test('rolling sends it every time, with a new expiry', async () => {
    const transcript = await compare({
      options: { ...options, rolling: true, cookie: { maxAge: 60_000 } },
      requests: [login, request('latest', [], { after: 5_000 }), request('latest', [], { after: 5_000 })],
    });
    expect(setsCookie(transcript)).toStrictEqual([true, true, true]);
  });

  test('a fixed expires Date slides on later requests', async () => {
    const transcript = await compare({
      options: { ...options, rolling: true, cookie: { expiresIn: 60_000 } },
      requests: [
        login,
        request('latest', [write], { after: 5_000 }),
        request('latest', [write], { after: 70_000 }),
      ],
    });
    const expires = transcript.exchanges.map(({ response }) => /Expires=([^;]*)/.exec(response.raw)?.[1]);
    expect(expires).toStrictEqual([
      'Tue, 15 Jan 2030 12:01:00 GMT',
      'Tue, 15 Jan 2030 12:01:05 GMT',
      'Tue, 15 Jan 2030 12:02:15 GMT',
    ]);
  });

  test.each<[string, Action]>([
    ['one', { do: 'header', name: 'Set-Cookie', value: 'theme=dark' }],
    ['several', { do: 'header', name: 'Set-Cookie', value: ['theme=dark', 'lang=eo'] }],
    ['one of its name', { do: 'header', name: 'Set-Cookie', value: 'connect.sid=mine' }],
    ['in lower case', { do: 'header', name: 'set-cookie', value: 'theme=dark' }],
  ])('goes after the cookies of the app: %s', async (_, header) => {
    await compare({ requests: [request('none', [write, header]), request('latest', [header])] });
  });
});

describe('responses', () => {
  const endings: Ending[] = [
    { by: 'end', body: null, twice: true },
    { by: 'end', body: { text: 'once' }, twice: true },
    { by: 'end', status: 204, body: null },
    { by: 'end', status: 304, body: null },
    { by: 'end', body: { text: 'aGk=', encoding: 'base64' } },
    { by: 'end', body: { base64: 'AAH/' } },
    { by: 'length', body: { text: '☃' } },
    { by: 'length', body: null },
    { by: 'writeHead', status: 200, headers: { 'Content-Length': '2' }, body: { text: 'hi' } },
    { by: 'writeHead', status: 200, reason: 'Sure', headers: { 'Set-Cookie': 'x=1' }, body: { text: 'hi' } },
    { by: 'writeHead', status: 200, headers: ['X-A', '1', 'Set-Cookie', 'x=1'], body: { text: 'hi' } },
    { by: 'writeHead', status: 200, headers: { 'Set-Cookie': ['x=1', 'y=2'] }, body: { text: 'hi' } },
    { by: 'writeHead', status: 204, body: null },
    { by: 'flushHeaders', body: { text: 'flushed' } },
    {
      by: 'stream',
      parts: [
        { text: 'a', meanwhile: [{ do: 'turn' }] },
        { text: 'b', meanwhile: [] },
      ],
      last: { text: 'c' },
    },
    { by: 'pipe', text: 'words to pipe' },
    { by: 'redirect', to: '/next?a=é' },
    { by: 'send', text: 'sent ☃' },
    { by: 'send', status: 404, text: '' },
    { by: 'json', value: { ok: true } },
    { by: 'sendStatus', status: 204 },
    { by: 'throw', message: 'oops' },
    { by: 'next' },
    { by: 'next', message: 'oops' },
  ];

  describe.each(HOSTS)('on %s', (host) => {
    test.each(endings)('%j', async (ending) => {
      for (const method of ['GET', 'HEAD', 'POST'] as const) {
        const scenario: Scenario = {
          host,
          store,
          options: { ...options, cookie: { maxAge: 60_000 } },
          requests: [
            request('none', [write], { method, ending }),
            request('latest', [], { method, ending, headers: { 'If-None-Match': '*' } }),
            request('latest', [{ do: 'destroy' }], { method, ending }),
            request('none', [], { method, ending }),
          ],
        };
        await expectSame(scenario);
        await expectPlainBytes(scenario);
      }
    });
  });

  // Plain node:http takes none of these beside a header that is set, or, in Node.js 20, loses a line.
  test.each([
    [['Set-Cookie', 'a=b', 'Set-Cookie', 'c=d']],
    [['Set-Cookie', 'a=b', 'X-A', '1', 'Set-Cookie', 'c=d', 'Set-Cookie', 'e=f']],
    [[['X-A', '1']]],
    [
      [
        ['X-A', '1'],
        ['Set-Cookie', 'a=b'],
      ],
    ],
  ] as (string[] | [string, string][])[][])(
    'writeHead(200, %j) beside headers that are set',
    async (headers) => {
      const ending: Ending = { by: 'writeHead', status: 200, headers: headers!, body: { text: 'hi' } };
      const header: Action = { do: 'header', name: 'X-Set', value: 'before' };
      for (const host of HOSTS) {
        for (const actions of [[header], [header, write]])
          await compare({ host, requests: [request('none', actions, { ending })] });
      }
    },
  );

  test('data set after the headers went out is stored though no cookie can follow', async () => {
    const transcript = await compare({
      requests: [
        request('none', [], {
          ending: { by: 'stream', parts: [{ text: 'a', meanwhile: [write] }], last: null },
        }),
      ],
    });
    expect(operations(transcript)).toStrictEqual(['set']);
    expect(setsCookie(transcript)).toStrictEqual([false]);
  });

  test('regenerate() and destroy() in the middle of a stream', async () => {
    await compare({
      requests: [
        login,
        request('latest', [], {
          ending: { by: 'stream', parts: [{ text: 'a', meanwhile: [{ do: 'regenerate' }] }], last: null },
        }),
        request('latest', [], {
          ending: { by: 'stream', parts: [{ text: 'a', meanwhile: [{ do: 'destroy' }] }], last: null },
        }),
      ],
    });
  });
});

describe('options that are left out', () => {
  const nothing: OptionsSpec = { secret: 'text' };

  test.each<OptionsSpec>([nothing, { ...nothing, resave: false }, { ...nothing, saveUninitialized: false }])(
    '%j',
    async (options) => {
      const requests = [
        request('none'),
        request('latest'),
        request('none', [write]),
        request('latest', [write]),
      ];
      const transcript = await compare({ options, requests });
      const saves = options.saveUninitialized === false ? '' : 'set';
      const again = options.resave === false ? 'get touch' : 'get set';
      expect(operations(transcript).slice(0, 2)).toStrictEqual([saves, saves && again]);
    },
  );
});

describe('a record that has expired', () => {
  test('is used if the store returns it', async () => {
    const transcript = await compare({
      options: { ...options, cookie: { maxAge: 1_000 } },
      requests: [login, request('latest', [{ do: 'read', key: 'a' }], { after: 60_000 })],
    });
    expect(lastSession(transcript)).toHaveProperty('a', 1);
  });

  test('is not returned by the memory store', async () => {
    const transcript = await compare({
      options: { ...options, cookie: { maxAge: 1_000 } },
      store: { ...store, kind: 'memory' },
      requests: [login, request('latest', [], { after: 999 }), request('latest', [], { after: 1_000 })],
    });
    expect(transcript.exchanges.map(({ log }) => log[0]!.id)).toStrictEqual([
      'session/1',
      'session/1',
      'session/2',
    ]);
    expect(transcript.stored).toStrictEqual({});
  });
});
