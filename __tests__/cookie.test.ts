import { parse } from 'cookie';
import fc from 'fast-check';
import { Cookie, type CookieOptions, serializeExpired } from '../lib/cookies/cookie.js';
import { decodeCookieValue, readCookies as readRaw } from '../lib/cookies/cookie-header.js';

/** express-session's own class. */
const RealCookie = require('express-session').Cookie as new (options?: object) => Cookie;

const NOW = Date.UTC(2030, 0, 1);

beforeAll(() => jest.useFakeTimers({ now: NOW }));
afterAll(() => jest.useRealTimers());

const readCookies = (header: string, name: string, most: number): string[] =>
  readRaw(header, name, most).map(decodeCookieValue);

describe('readCookies() and decodeCookieValue()', () => {
  const first = (header: string, name = 'sid'): string | undefined => readCookies(header, name, 1)[0];

  test.each<[string, string | undefined]>([
    ['', undefined],
    ['sid', undefined],
    ['sid=', ''],
    ['sid=1', '1'],
    ['a=1; sid=2', '2'],
    ['sid=1; a=2', '1'],
    ['sid=1;a=2', '1'],
    ['a=1;sid=2', '2'],
    ['asid=1; sid=2', '2'],
    ['sida=1; sid=2', '2'],
    ['a=sid; sid=2', '2'],
    ['a=sid=1; sid=2', '2'],
    ['sid=1; sid=2', '1'],
    [' sid = 1 ', '1'],
    ['\tsid\t=\t1\t;', '1'],
    ['a b sid=1', undefined],
    ['sid;sid=2', '2'],
    ['sid="1"', '1'],
    ['sid="1', '"1'],
    ['sid=1"', '1"'],
    ['sid=""', ''],
    ['sid=" 1 "', ' 1 '],
    ['sid=a=b', 'a=b'],
    ['sid=%41%3A', 'A:'],
    ['sid=%4', '%4'],
    ['sid=%FF%41', '%FF%41'],
    ['sid=1%', '1%'],
    ['SID=1', undefined],
  ])('of %j reads %j', (header, value) => {
    expect(first(header)).toBe(value);
    expect(parse(header)['sid']).toBe(value);
  });

  test('reads as many of a name as it is asked for, in their order', () => {
    const header = 'sid=1; a=x; sid=2; sid="3"; asid=4; sid=%35';
    expect(readCookies(header, 'sid', 10)).toEqual(['1', '2', '3', '5']);
    expect(readCookies(header, 'sid', 4)).toEqual(['1', '2', '3', '5']);
    expect(readCookies(header, 'sid', 2)).toEqual(['1', '2']);
    expect(readCookies(header, 'sid', 0)).toEqual([]);
    expect(readCookies(header, 'b', 10)).toEqual([]);
  });

  test('takes the name for what it is, not for a pattern', () => {
    expect(first('connectxsid=1; connect.sid=2', 'connect.sid')).toBe('2');
    expect(first('$a=1', '$a')).toBe('1');
    expect(first('__proto__=1', '__proto__')).toBe('1');
    expect(first('a=1', 'toString')).toBeUndefined();
  });

  const piece = fc.oneof(
    fc.constantFrom(
      'sid',
      'asid',
      'sida',
      'a',
      '=',
      ';',
      '; ',
      ' ',
      '\t',
      '"',
      '%',
      '%41',
      '%FF',
      ',',
      's:1.x',
      '1',
    ),
    fc.string({ maxLength: 3 }),
  );
  const header = fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join(''));

  test('reads what the package cookie reads, of any header', () => {
    fc.assert(
      fc.property(header, (given) => {
        fc.pre(!/=[ \t]*"[ \t]*(;|$)/.test(given)); // of a lone quote the package makes an empty value
        expect(first(given)).toBe(parse(given)['sid']);
      }),
      { numRuns: 5000 },
    );
  });

  test('a lone quote is itself', () => {
    expect(first('sid="')).toBe('"');
  });

  test('reads a huge header in no time to speak of', () => {
    jest.useRealTimers();
    for (const repeated of ['sid', 'sid ', 'sid;', ' ', '\t', ';', 'sid=', '"', '%']) {
      const huge = repeated.repeat(1_000_000 / repeated.length);
      const from = performance.now();
      readCookies(huge, 'sid', 1);
      expect(performance.now() - from).toBeLessThan(2000);
    }
    jest.useFakeTimers({ now: NOW });
  });
});

const options: fc.Arbitrary<CookieOptions> = fc.record(
  {
    maxAge: fc.constantFrom(undefined, null, 0, 1, 60_000, -1),
    expires: fc.constantFrom(undefined, null, new Date(NOW + 5000), new Date(0)),
    path: fc.constantFrom('/', '/app', undefined),
    domain: fc.constantFrom('example.org', undefined),
    httpOnly: fc.constantFrom(true, false, undefined),
    secure: fc.constantFrom(true, false, 'auto' as const, undefined),
    sameSite: fc.constantFrom(true, false, 'lax' as const, 'strict' as const, 'none' as const, undefined),
    partitioned: fc.constantFrom(true, false, undefined),
    priority: fc.constantFrom('low' as const, 'medium' as const, 'high' as const, undefined),
    signed: fc.constantFrom(true, undefined),
  },
  { requiredKeys: [] },
);

/** What can be seen of a cookie. */
function look(cookie: Cookie): unknown {
  const { maxAge, expires, originalMaxAge, data } = cookie;
  return {
    ...{ maxAge, expires, originalMaxAge, data },
    json: JSON.stringify(cookie),
    text: cookie.serialize('sid', 's:1.x'),
    keys: Object.keys(cookie),
  };
}

/** The same, done to both. */
const changes: fc.Arbitrary<(cookie: Cookie) => void> = fc.constantFrom<((cookie: Cookie) => void)[]>(
  () => {},
  (cookie) => {
    cookie.maxAge = 1000;
  },
  (cookie) => {
    cookie.maxAge = null;
  },
  (cookie) => {
    cookie.expires = new Date(NOW + 7000);
  },
  (cookie) => {
    cookie.expires = false as never;
  },
  (cookie) => {
    cookie.maxAge = cookie.originalMaxAge;
  },
  (cookie) => {
    cookie.secure = true;
    cookie.path = '/other';
  },
);

describe('Cookie', () => {
  test("is as express-session's, whatever the options and the changes", () => {
    fc.assert(
      fc.property(options, fc.array(changes, { maxLength: 4 }), (given, done) => {
        const [ours, theirs] = [new Cookie(given), new RealCookie(given)];
        for (const change of done) {
          change(ours);
          change(theirs);
        }
        expect(look(ours)).toEqual(look(theirs));
      }),
      { numRuns: 1000 },
    );
  });

  test('has defaults', () => {
    const cookie = new Cookie();
    expect(JSON.stringify(cookie)).toBe('{"originalMaxAge":null,"expires":null,"httpOnly":true,"path":"/"}');
    expect(cookie.serialize('sid', 's:1.x')).toBe('sid=s%3A1.x; Path=/; HttpOnly');
    expect(cookie.maxAge).toBeNull();
  });

  test('counts maxAge from now, and expires as it is', () => {
    const cookie = new Cookie({ maxAge: 60_000 });
    expect(cookie.expires).toEqual(new Date(NOW + 60_000));
    jest.setSystemTime(NOW + 10_000);
    expect(cookie.maxAge).toBe(50_000);
    expect(cookie.originalMaxAge).toBe(60_000);
    jest.setSystemTime(NOW);
  });

  test.each<[string, unknown]>([
    ['text', 'a day'],
    ['true', true],
    ['an object', {}],
  ])('refuses a maxAge that is %s, as express-session does', (_name, maxAge) => {
    const message = 'maxAge must be a number or Date';
    expect(() => new Cookie({ maxAge: maxAge as number })).toThrow(new TypeError(message));
    expect(() => new RealCookie({ maxAge })).toThrow(message);
  });

  test('refuses options that are no object, as express-session does', () => {
    const message = 'argument options must be a object';
    expect(() => new Cookie('/' as never)).toThrow(new TypeError(message));
    expect(() => new RealCookie('/' as never)).toThrow(message);
  });

  test('cannot be given other methods, nor another prototype, by stored data', () => {
    const stored =
      '{"__proto__":{"polluted":1},"serialize":1,"toJSON":1,"data":1,"constructor":1,"path":"/app"}';
    const cookie = new Cookie(JSON.parse(stored));
    expect(Object.getPrototypeOf(cookie)).toBe(Cookie.prototype);
    expect(cookie.serialize('sid', '1')).toBe('sid=1; Path=/app; HttpOnly');
    expect(JSON.stringify(cookie)).toBe(
      '{"originalMaxAge":null,"expires":null,"httpOnly":true,"path":"/app"}',
    );
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test.each<[string, CookieOptions, string]>([
    ['a bad path', { path: '/a;b' }, 'option path is invalid'],
    ['a bad domain', { domain: 'a b' }, 'option domain is invalid'],
    ['a bad date', { expires: new Date('never') }, 'option expires is invalid'],
    ['a bad sameSite', { sameSite: 'loose' as never }, 'option sameSite is invalid'],
  ])('refuses to send %s', (_name, given, message) => {
    expect(() => new Cookie(given).serialize('sid', '1')).toThrow(message);
  });
});

describe('serializeExpired()', () => {
  test('keeps all attributes but the lifetime', () => {
    const cookie = new Cookie({
      ...{ maxAge: 60_000, path: '/app', domain: 'example.org', httpOnly: true, secure: true },
      ...{ sameSite: 'none', partitioned: true, priority: 'high' },
    });
    expect(serializeExpired('sid', cookie)).toBe(
      'sid=; Domain=example.org; Path=/app; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; Partitioned; ' +
        'Priority=High; SameSite=None',
    );
    expect(cookie.expires).toEqual(new Date(NOW + 60_000));
  });

  test('of a cookie with the default attributes', () => {
    expect(serializeExpired('sid', new Cookie())).toBe(
      'sid=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly',
    );
  });
});
