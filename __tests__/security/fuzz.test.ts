import fc from 'fast-check';
import { Cookie } from '../../lib/cookies/cookie.js';
import { readCookies } from '../../lib/cookies/cookie-header.js';
import { Identifier } from '../../lib/cookies/identify.js';
import { unsign } from '../../lib/cookies/signature.js';
import session from '../../lib/index.js';
import { ownerOf } from '../../lib/owners.js';
import { pointerOf } from '../../lib/pointer.js';
import { dataText, dataTextOf, parseRecord } from '../../lib/record.js';
import type { IncomingRequest } from '../../lib/request/context.js';
import { sign } from '../support/sign.js';

/** How many inputs there are in all, at least; set STEADY_FUZZ_RUNS for more. */
const RUNS = Number(process.env['STEADY_FUZZ_RUNS'] ?? 100_000);
jest.setTimeout(60_000 + 2 * RUNS);

const NAME = 'connect.sid';
const SECRETS = ['the first secret', Buffer.from('the second secret')];

/** Whatever happens, the prototype that all objects share stays as it is. */
const prototypeBefore = Object.getOwnPropertyNames(Object.prototype).sort();
afterEach(() => {
  expect(Object.getOwnPropertyNames(Object.prototype).sort()).toEqual(prototypeBefore);
  expect(Object.keys(Object.prototype)).toEqual([]);
});

/** @param share of all inputs; the six cheap properties have 15 % each, the two others 5 % */
function check<T>(input: fc.Arbitrary<T>, property: (value: T) => void, share = 0.15): void {
  fc.assert(fc.property(input, property), { numRuns: Math.ceil(share * RUNS) });
}

/** Text made of what means something in a Cookie header, and of anything else. */
const headerText = fc
  .array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.constantFrom(NAME, '=', ';', '; ', ' ', '\t', '"', '%', '%3A', 's:', 's%3A', '.', ','),
      },
      {
        weight: 2,
        arbitrary: fc.constantFrom('j:', '%C3', '%ZZ', '\\', '\0', '__proto__', 'constructor', '\ud800'),
      },
      fc.string({ unit: 'binary', maxLength: 10 }),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(''));

const identify = (req: IncomingRequest) => new Identifier(NAME).identify(req, SECRETS);

const requestWith = (cookie: string): IncomingRequest =>
  ({ headers: { cookie } }) as unknown as IncomingRequest;

describe('the cookie parser', () => {
  test('gives at most as many values as it is asked for, each of them from the header', () => {
    check(headerText, (header) => {
      const values = readCookies(header, NAME, 4);
      expect(values.length).toBeLessThanOrEqual(4);
      for (const value of values) expect(typeof value).toBe('string');
    });
  });

  test('finds a cookie wherever it is among others', () => {
    const pair = fc.stringMatching(/^[a-z]{1,8}=[\w%]{0,8}$/);
    check(
      fc.tuple(fc.array(pair), fc.stringMatching(/^[\w:.-]{1,20}$/), fc.array(pair)),
      ([before, value, after]) => {
        const header = [...before, `${NAME}=${value}`, ...after].join('; ');
        expect(readCookies(header, NAME, 4)).toEqual([value]);
      },
    );
  });
});

describe('the signature check', () => {
  test('takes nothing that we have not signed', () => {
    check(headerText, (header) => {
      expect(identify(requestWith(header))).toEqual([]);
    });
  });

  test('takes what we have signed, and not what was changed in one place', () => {
    const change = fc.tuple(
      fc.string({ unit: 'binary', minLength: 1 }),
      fc.nat(),
      fc.string({ unit: 'binary', maxLength: 1 }),
    );
    check(change, ([id, where, by]) => {
      const signed = sign(id, SECRETS[1]!);
      expect(unsign(signed, SECRETS)).toEqual({ value: id, secret: 1 });
      const at = where % signed.length;
      const changed = signed.slice(0, at) + by + signed.slice(at + 1);
      if (changed !== signed) expect(unsign(changed, SECRETS)).toBe(undefined);
    });
  });
});

/** JSON as an enemy who can write to the store would have it. */
const hostileKey = fc.oneof(
  fc.constantFrom(
    'cookie',
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    'req',
    'id',
    'save',
  ),
  fc.constantFrom(
    'expires',
    'maxAge',
    'originalMaxAge',
    'path',
    'data',
    'serialize',
    'toJSON',
    '_expires',
    'movedTo',
    'movedUnder',
  ),
  fc.constantFrom('movedAt', 'createdAt', 'touchedAt', 'rotatedAt', 'expiresAt', 'clear', 'update', 'userId'),
  fc.string({ maxLength: 5 }),
);
const { hostile } = fc.letrec((tie) => ({
  hostile: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.oneof(
      fc.string(),
      fc.double(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.constant('2030-01-01'),
    ),
    fc.array(tie('hostile'), { maxLength: 3 }),
    fc.array(fc.tuple(hostileKey, tie('hostile')), { maxLength: 6 }).map(asJson),
  ),
}));

/** An object by its JSON text, such that `__proto__` is a key as any other. */
function asJson(entries: [string, unknown][]): unknown {
  return JSON.parse(
    `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value) ?? 'null'}`).join(',')}}`,
  );
}

const hostileRecord = fc
  .tuple(
    fc.array(fc.tuple(hostileKey, hostile), { maxLength: 5 }),
    fc.array(fc.tuple(hostileKey, hostile), { maxLength: 5 }),
  )
  .map(([cookie, data]) => JSON.stringify(asJson([['cookie', asJson(cookie)], ...data])));

/** Errors that are meant for whoever reads them; anything else has come about by accident. */
const OURS = /^(maxAge must be a number or Date|option \w+ is invalid|argument \w+ is invalid)$/;

describe('the record loader', () => {
  test('takes any text, and gives an object with a cookie or nothing', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      hostile.map((value) => JSON.stringify(value)),
      hostileRecord,
    );
    check(text, (stored) => {
      const record = parseRecord(stored);
      if (record) expect([typeof record, typeof record['cookie']]).toEqual(['object', 'object']);
      const pointer = pointerOf('id', stored);
      if (pointer) expect([typeof pointer.target, typeof pointer.movedAt]).toEqual(['string', 'number']);
    });
  });

  test('makes a session of any record: its methods are ours, its data what was stored', () => {
    const store = new session.MemoryStore();
    check(hostileRecord, (stored) => {
      const record = parseRecord(stored);
      if (!record) return;
      expect(dataTextOf(stored, record)).toBe(dataText(record));
      expect(['undefined', 'string']).toContain(typeof ownerOf(record, 'userId'));
      expect(ownerOf(record, '__proto__x')).toBe(undefined);
      const request = { sessionID: 'id', sessionStore: store } as any;
      try {
        store.createSession(request, record as any);
      } catch (error) {
        expect((error as Error).message).toMatch(OURS);
        return;
      }
      const mine = request.session as session.Session;
      expect(mine.id).toBe('id');
      expect(mine.req).toBe(request);
      expect(mine.save).toBe(session.Session.prototype.save);
      expect(mine.cookie).toBeInstanceOf(Cookie);
      expect(Object.getPrototypeOf(mine)).toBe(session.Session.prototype);
      try {
        mine.cookie.serialize(NAME, 'value');
        mine.touch();
      } catch (error) {
        expect((error as Error).message).toMatch(OURS);
      }
    });
  });
});

describe('the options', () => {
  const names = [
    ...[
      'secret',
      'store',
      'cookie',
      'name',
      'key',
      'genid',
      'proxy',
      'resave',
      'rolling',
      'saveUninitialized',
      'unset',
    ],
    ...[
      'saveFailure',
      'clearCookie',
      'ttl',
      'concurrency',
      'merge',
      'onInterrupted',
      'storeTimeout',
      'onStoreDown',
    ],
    ...[
      'absoluteTimeout',
      'touchAfter',
      'rotateAfter',
      'owner',
      'rotateGrace',
      'onReuse',
      'touch',
      'skip',
      'trackCookie',
    ],
    ...[
      'resign',
      'cachePrivate',
      'expireStrays',
      'storeUnreachable',
      'largeSession',
      '__proto__',
      'constructor',
    ],
  ];
  const value = fc.oneof(
    fc.constantFrom(
      undefined,
      null,
      true,
      false,
      0,
      -1,
      Number.NaN,
      Infinity,
      '',
      'merge',
      'keep',
      'auto',
      'x'.repeat(99),
    ),
    fc.constantFrom<unknown>(
      () => {},
      Symbol('s'),
      1n,
      new Date(Number.NaN),
      [],
      ['a', 7],
      Buffer.alloc(3),
      class {},
    ),
    fc.object({ maxDepth: 1 }),
    fc.dictionary(
      fc.constantFrom('maxAge', 'path', 'domain', 'secure', 'sameSite', 'priority', 'expires', '__proto__'),
      fc.anything(),
    ),
    fc.anything({ maxDepth: 1 }),
  );

  beforeAll(() => {
    process.env['NO_DEPRECATION'] = 'express-session';
    jest.spyOn(process, 'emitWarning').mockImplementation(() => {}); // what is unknown is warned of, each time by another name
  });
  afterAll(() => {
    delete process.env['NO_DEPRECATION'];
    jest.restoreAllMocks();
  });

  test('are taken, or refused by a TypeError that names what is wrong', () => {
    const given = fc.array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 5 });
    check(
      given,
      (entries) => {
        const options = Object.fromEntries(entries) as session.SessionOptions;
        try {
          expect(typeof session({ resave: false, saveUninitialized: false, ...options })).toBe('function');
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError);
          expect((error as Error).message).toMatch(/option|must be|cookie|argument/);
        }
      },
      0.05,
    );
  });

  test('names of options that are none are no trouble', () => {
    check(
      fc.dictionary(fc.string({ maxLength: 8 }), fc.constant(1), { maxKeys: 3 }),
      (options) => {
        const known = Object.keys(options).some((name) => names.includes(name));
        if (!known) {
          expect(typeof session({ ...options, secret: 'x', resave: false, saveUninitialized: false })).toBe(
            'function',
          );
        }
      },
      0.05,
    );
  });
});

describe('time grows no faster than the input', () => {
  const SMALL = 8192;
  const FACTOR = 16;
  const attacks: [string, (length: number) => string][] = [
    ['our name over and over', (length) => NAME.repeat(length / NAME.length)],
    ['our name with blanks', (length) => `${NAME}${' '.repeat(50)}`.repeat(length / 60)],
    ['blanks before our name', (length) => `${' '.repeat(length)}${NAME}=x`],
    ['blanks after our name', (length) => `${NAME}${' '.repeat(length)}`],
    ['forged cookies', (length) => `${NAME}=s:a.b;`.repeat(length / 18)],
    ['a long forged cookie', (length) => `${NAME}=s:${'a'.repeat(length)}.b`],
    ['dots', (length) => `${NAME}=s:${'.'.repeat(length)}`],
    ['percent signs', (length) => `${NAME}=s:${'%41'.repeat(length / 3)}%`],
    ['quotes', (length) => `${NAME}=${'"'.repeat(length)}`],
    ['pairs', (length) => 'a=b;'.repeat(length / 4)],
  ];

  /** The shortest of some times, in ms: what else the machine does only makes them longer. */
  const timeOf = (work: () => void): number => {
    const times = Array.from({ length: 7 }, () => {
      const start = performance.now();
      for (let n = 0; n < 20; n++) work();
      return performance.now() - start;
    });
    return Math.min(...times);
  };

  test.each(attacks)('%s', (_, make) => {
    const [short, long] = [make(SMALL), make(SMALL * FACTOR)];
    const shortTime = timeOf(() => identify(requestWith(short)));
    const longTime = timeOf(() => identify(requestWith(long)));
    // Squared, it would be 256 times as long.
    expect(longTime).toBeLessThan(Math.max(shortTime, 0.5) * FACTOR * 5);
  });
});
