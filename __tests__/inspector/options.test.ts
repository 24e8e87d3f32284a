import session from '../../lib/index.js';
import { inspector } from '../../lib/inspector/index.js';
import { SECRET } from './support.js';

const sessions = session({ ...session.recommended, secret: SECRET });
const guard = () => true;

/** What is thrown at start. */
function refusal(...args: unknown[]): string {
  try {
    (inspector as (...args: unknown[]) => { close(): void })(...args).close();
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return (error as Error).message;
  }
  return 'it starts';
}

const noMiddleware = 'inspector() needs what session() of this package has returned; got';
const noGuard = 'inspector: guard option must be a function (req) => boolean that says who may look; got';

test.each([
  ['no sessions', [undefined, { guard }], `${noMiddleware} undefined`],
  ['a middleware of others', [() => {}, { guard }], `${noMiddleware} a function`],
  ['null for sessions', [null, { guard }], `${noMiddleware} null`],
  [
    'no options',
    [sessions],
    'inspector needs an object of options ({ guard, production, history, sessions, checkInterval }); got undefined',
  ],
  ['no guard', [sessions, {}], `${noGuard} undefined`],
  ['a guard that is none', [sessions, { guard: true }], `${noGuard} true (boolean)`],
  [
    'a misspelt option',
    [sessions, { guard, histroy: 1 }],
    'inspector has no option histroy; did you mean history?',
  ],
  [
    'production that is no boolean',
    [sessions, { guard, production: 'yes' }],
    'inspector: production option must be true or false; got "yes"',
  ],
  [
    'no history',
    [sessions, { guard, history: 0 }],
    'inspector: history option must be a whole number from 1 to 10000; got 0 (number)',
  ],
  [
    'too much history',
    [sessions, { guard, history: 10_001 }],
    'inspector: history option must be a whole number from 1 to 10000; got 10001 (number)',
  ],
  [
    'half a session',
    [sessions, { guard, sessions: 1.5 }],
    'inspector: sessions option must be a whole number from 1 to 10000; got 1.5 (number)',
  ],
  [
    'an interval that no timer can count',
    [sessions, { guard, checkInterval: 2 ** 31 }],
    'inspector: checkInterval option must be a whole number from 1 to 2147483647; got 2147483648 (number)',
  ],
])('refuses to start with %s', (_, args, message) => {
  expect(refusal(...args)).toBe(message);
});

test.each([
  ['the most', { history: 10_000, sessions: 10_000, checkInterval: 2 ** 31 - 1 }],
  ['the least', { history: 1, sessions: 1, checkInterval: 1 }],
])('starts with %s', (_, options) => {
  expect(refusal(sessions, { guard, ...options })).toBe('it starts');
});

describe('in production', () => {
  const before = process.env['NODE_ENV'];
  beforeEach(() => {
    process.env['NODE_ENV'] = 'production';
  });
  afterEach(() => {
    process.env['NODE_ENV'] = before;
  });

  test.each([{ guard }, { guard, production: false }])(
    'refuses to start, and says what to do: %j',
    (options) => {
      expect(refusal(sessions, options)).toBe(
        'inspector() does not run in production, where it would show and end the sessions of real users; ' +
          'leave it out there, or pass production: true if its guard lets in nobody but your administrators',
      );
    },
  );

  test('starts when told to, behind a guard', () => {
    expect(refusal(sessions, { guard, production: true })).toBe('it starts');
    expect(refusal(sessions, { production: true })).toBe(`${noGuard} undefined`);
  });
});
