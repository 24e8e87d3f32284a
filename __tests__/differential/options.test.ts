import { Browser } from '../support/http.js';
import { closeSites, serve } from '../support/sites.js';
import { useFrozenClock } from './clock.js';
import { deprecationsOf, ignoreWarnings } from './deprecations.js';
import { ours, real, type Subject } from './subjects.js';

useFrozenClock();

const good = { secret: 'a secret', resave: false, saveUninitialized: false };

/** What `session(options)` throws, if anything. */
function thrownBy(subject: Subject, options: unknown): string | undefined {
  try {
    subject(options);
    return undefined;
  } catch (error) {
    return String(error);
  }
}

describe('bad options are refused in the same words', () => {
  ignoreWarnings();

  test.each<[Record<string, unknown>, string]>([
    [{ unset: 'drop' }, 'TypeError: unset option must be "destroy" or "keep"'],
    [{ unset: true }, 'TypeError: unset option must be "destroy" or "keep"'],
    [{ unset: 5 }, 'TypeError: unset option must be "destroy" or "keep"'],
    [{ unset: ['keep'] }, 'TypeError: unset option must be "destroy" or "keep"'],
    [{ genid: 'x' }, 'TypeError: genid option must be a function'],
    [{ genid: {} }, 'TypeError: genid option must be a function'],
    [{ genid: true }, 'TypeError: genid option must be a function'],
    [{ secret: [] }, 'TypeError: secret option array must contain one or more strings'],
    [{ genid: 'x', unset: 'x', secret: [] }, 'TypeError: genid option must be a function'],
    [{ unset: 'x', secret: [] }, 'TypeError: unset option must be "destroy" or "keep"'],
  ])('%j', (options, message) => {
    expect(thrownBy(real, { ...good, ...options })).toBe(message);
    expect(thrownBy(ours, { ...good, ...options })).toBe(message);
  });
});

describe('odd options are taken', () => {
  ignoreWarnings();

  test.each<unknown>([
    undefined,
    null,
    {},
    { ...good, unset: '' },
    { ...good, unset: null },
    { ...good, genid: null },
    { ...good, cookie: null },
    { ...good, cookie: {} },
    { ...good, cookie: () => ({}) },
    { ...good, name: '' },
    { ...good, name: null, key: 'sid' },
    { ...good, store: null },
    { ...good, proxy: 1 },
    { ...good, rolling: 'yes' },
    { ...good, resave: null, saveUninitialized: 0 },
    { ...good, secret: '' },
    { ...good, secret: null },
    { ...good, secret: ['new', 'old'] },
    { ...good, secret: Buffer.from('x') },
    { ...good, secret: new Uint8Array([1, 2]) },
    { ...good, unknown: 1 },
    '',
    0,
    false,
    [],
  ])('%j', (options) => {
    expect(thrownBy(real, options)).toBe(undefined);
    expect(thrownBy(ours, options)).toBe(undefined);
  });
});

describe('attributes of the cookie', () => {
  ignoreWarnings();
  afterEach(closeSites);

  /** What a browser sees of a counter in its session. */
  async function visits(subject: Subject, cookie: object): Promise<unknown> {
    const handler = subject({ ...good, cookie });
    const failed = (_error: unknown, _req: unknown, res: any) =>
      void (res.writableEnded || res.end('failed'));
    const site = await serve(
      'express 5',
      [
        handler,
        (req, res) => {
          if (req.session) req.session.n = (req.session.n ?? 0) + 1;
          res.end(`visit ${req.session?.n}`);
        },
      ],
      failed,
    );
    const browser = new Browser(site);
    const answers = [await browser.get('/admin'), await browser.get('/admin')];
    return answers.map(({ body, setCookie }) => [
      body,
      setCookie.map((line) => line.replace(/=s%3A[^;]*/, '')),
    ]);
  }

  test.each<[object]>([
    [{ maxAge: Number.NaN }],
    [{ maxAge: Infinity }],
    [{ maxAge: 8.64e15 }],
    [{ maxAge: new Date(Number.NaN) }],
    [{ expires: new Date(Number.NaN) }],
    [{ domain: 'https://x.y' }],
    [{ domain: 'x.y:80' }],
    [{ path: 'admin' }],
    [{ path: 5 }],
    [{ path: '/admin;' }],
  ])('%p: express-session sends no cookie, here it is refused', async (cookie) => {
    expect(JSON.stringify(await visits(real, cookie))).not.toContain('connect.sid');
    expect(thrownBy(ours, { ...good, cookie })).toMatch(/^TypeError: cookie\.\w+ option must be /);
  });

  test('expires as a text or true: express-session throws in the handler, here it is refused', () => {
    for (const expires of ['2030-01-01', true, {}]) {
      const cookie = new real.Cookie({ expires });
      expect(() => Object.assign(cookie, { maxAge: cookie['originalMaxAge'] })).toThrow(TypeError);
      expect(thrownBy(ours, { ...good, cookie: { expires } })).toMatch(/^TypeError: cookie\.expires option /);
    }
  });

  test.each<[object]>([
    [{ path: '' }],
    [{ path: undefined }],
    [{ path: null }],
    [{ path: '/admin' }],
    [{ domain: undefined }],
    [{ domain: null }],
    [{ domain: '' }],
    [{ domain: '.x.y' }],
    [{ expires: null }],
    [{ expires: false }],
    [{ expires: '' }],
    [{ expires: 60_000 }],
    [{ maxAge: null }],
    [{ maxAge: undefined }],
    [{ maxAge: false }],
    [{ maxAge: 60_000 }],
    [{ maxAge: 0 }],
    [{ maxAge: -1 }],
    [{ expires: '2030-01-01', maxAge: 60_000 }],
    [{ maxAge: Number.NaN, expires: null }],
    [{ secure: 'false' }],
    [{ httpOnly: 'no' }],
  ])('%p works as in express-session', async (cookie) => {
    expect(await visits(ours, cookie)).toEqual(await visits(real, cookie));
  });
});

/** The two packages, freshly loaded: each warns once per place in the app. */
function fresh(): Record<'real' | 'ours', Subject> {
  const loaded = {} as Record<'real' | 'ours', Subject>;
  jest.isolateModules(() => {
    loaded.real = require('express-session');
    loaded.ours = require('../../lib/index.js');
  });
  return loaded;
}

describe('deprecation warnings', () => {
  const namespace = 'express-session';
  const resave = 'undefined resave option; provide resave option';
  const saveUninitialized = 'undefined saveUninitialized option; provide saveUninitialized option';
  const secret = 'req.secret; provide secret option';
  const maxAge = 'maxAge as Date; pass number of milliseconds instead';

  test.each<[string, (subject: Subject) => unknown, string[]]>([
    ['no options', (session) => session(), [resave, saveUninitialized, secret]],
    ['all that must be said', (session) => session(good), []],
    ['null for both', (session) => session({ ...good, resave: null, saveUninitialized: null }), []],
    ['no resave', (session) => session({ ...good, resave: undefined }), [resave]],
    [
      'no saveUninitialized',
      (session) => session({ ...good, saveUninitialized: undefined }),
      [saveUninitialized],
    ],
    ['no secret', (session) => session({ ...good, secret: undefined }), [secret]],
    ['an empty secret', (session) => session({ ...good, secret: '' }), [secret]],
    ['a Date as maxAge', ({ Cookie }) => new Cookie({ maxAge: new Date() }), [maxAge]],
    [
      'a Date as maxAge, later',
      ({ Cookie }) => Object.assign(new Cookie(), { maxAge: new Date() }),
      [maxAge],
    ],
    ['a Date as expires', ({ Cookie }) => new Cookie({ expires: new Date() }), []],
    [
      'a bad option after it',
      (session) => thrownBy(session, { secret: 'x', unset: 'x' }),
      [resave, saveUninitialized],
    ],
    [
      'twice from one place',
      (session) => [1, 2].map(() => session({ ...good, resave: undefined })),
      [resave],
    ],
  ])('%s', async (_, run, messages) => {
    const expected = messages.map((message) => ({ namespace, message }));
    const { real, ours } = fresh();
    expect(await deprecationsOf(() => run(real))).toStrictEqual(expected);
    expect(await deprecationsOf(() => run(ours))).toStrictEqual(expected);
  });

  test('on stderr, with the place in the app that is to be changed', () => {
    const { real, ours } = fresh();
    const [expected, actual] = [real, ours].map((subject) => stderrOf(() => subject()));
    expect(actual).toStrictEqual(expected);
    expect(actual).toHaveLength(3);
    expect(actual![0]).toMatch(
      /^Tue, 15 Jan 2030 12:00:00 GMT express-session deprecated undefined resave option; /,
    );
    expect(actual![0]).toMatch(/ at .*options\.test\.ts:\d+:\d+\n$/);
  });

  test('silenced by NO_DEPRECATION', () => {
    const before = process.env['NO_DEPRECATION'];
    process.env['NO_DEPRECATION'] = 'express-session';
    try {
      const { real, ours } = fresh();
      expect([real, ours].map((subject) => stderrOf(() => subject()))).toStrictEqual([[], []]);
    } finally {
      if (before === undefined) delete process.env['NO_DEPRECATION'];
      else process.env['NO_DEPRECATION'] = before;
    }
  });

  function stderrOf(run: () => unknown): string[] {
    const lines: string[] = [];
    const write = jest
      .spyOn(process.stderr, 'write')
      .mockImplementation((text) => lines.push(String(text)) > 0);
    try {
      run();
    } finally {
      write.mockRestore();
    }
    return lines;
  }
});
