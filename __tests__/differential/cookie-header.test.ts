import { useFrozenClock } from './clock.js';
import { expectSame } from './compare.js';
import type { OptionsSpec, RequestSpec } from './scenario.js';

useFrozenClock();

const options: OptionsSpec = { resave: false, saveUninitialized: false, secret: 'text' };

/** Whether the session is found by each Cookie header. `{pair}`, `{name}` and `{value}` are the true cookie's. */
const corpus: [what: string, header: string, found: boolean][] = [
  ['alone', '{pair}', true],
  ['empty header', '', false],
  ['only a semicolon', ';', false],
  ['only an equals sign', '=', false],
  ['among others', 'a=1; {pair}; b=2', true],
  ['without spaces', 'a=1;{pair};b=2', true],
  ['with many spaces and tabs', ' a=1 ;  \t{pair}\t ;b=2', true],
  ['spaces around the equals sign', '{name} = {value}', true],
  ['comma instead of semicolon', 'a=1, {pair}', false],
  ['in double quotes', '{name}="{value}"', true],
  ['an opening quote only', '{name}="{value}', false],
  ['a closing quote only', '{name}={value}"', false],
  ['quotes within', '{name}="{value}"x', false],
  ['in single quotes', "{name}='{value}'", false],
  ['the quoted text holds a semicolon', 'a="x; {pair}"; b=2', false],
  ['twice, the first true', '{pair}; {name}=x', true],
  ['twice the same', '{pair}; {pair}', true],
  ['name without a value', '{name}; {pair}', true],
  ['name with an empty value', '{name}=', false],
  ['a part without equals sign before', 'junk; {pair}', true],
  ['a part with an empty name', '=x; {pair}', true],
  ['a value with equals signs before', 'a=b=c=d; {pair}', true],
  ['more after the value', '{name}={value}=more', false],
  ['name in capitals', 'CONNECT.SID={value}', false],
  ['name as a suffix', 'x{name}={value}', false],
  ['name as a prefix', '{name}x={value}', false],
  ['name with its dot escaped', 'connect%2Esid={value}', false],
  ['name with another character for its dot', 'connectXsid={value}', false],
  ['not escaped at all', '{name}=s:session/1.xVt2sigP9YSM40Gb6WO+iQ', false],
  ['escaped more than it must be', '{name}=%73%3Asession%2F1', false],
  ['a broken escape before', 'a=%; {pair}', true],
  ['a broken escape in it', '{pair}%', false],
  ['a broken escape of UTF-8 in it', '{pair}%E0%A4%A', false],
  ['an escaped NUL in it', '{pair}%00', false],
  ['an escaped line end in it', '{pair}%0D%0A', false],
  ['UTF-8 bytes before', 'a=\u00c3\u00a9\u00e2\u0098\u0083; {pair}', true],
  ['Latin-1 bytes before', 'a=\u00ff\u00fe; {pair}', true],
  ['Latin-1 bytes in it', '{pair}\u00e9', false],
  ['a non-breaking space before', 'a=1;\u00a0{pair}', false],
  ['names of Object.prototype', '__proto__=x; constructor=y; toString=z; {pair}', true],
  ['s: alone', '{name}=s%3A', false],
  ['s: and a dot', '{name}=s%3A.', false],
  ['a signature without a value', '{name}=s%3A.abcdef', false],
  ['a value without a signature', '{name}=s%3Asession%2F1', false],
  ['a value with an empty signature', '{name}=s%3Asession%2F1.', false],
  ['S: in capitals', '{name}=S%3Asession%2F1.abc', false],
  ['j: and JSON', '{name}=j%3A%7B%22a%22%3A1%7D', false],
  ['signature with its padding', '{pair}%3D', false],
  ['signature of another length', '{pair}AAAA', false],
  ['a signature of non-ASCII characters', '{name}=s%3Asession%2F1.%C3%A9%C3%A9%C3%A9', false],
  ['64 KB of another cookie before', `a=${'x'.repeat(65_536)}; {pair}`, true],
  ['64 KB in it', `{name}=s%3A${'x'.repeat(65_536)}`, false],
  ['64 KB of dots in it', `{name}=s%3A${'.'.repeat(65_536)}`, false],
  ['64 KB of quotes', `a=${'"'.repeat(65_536)}; {pair}`, true],
  ['64 KB of spaces', `a=1;${' '.repeat(65_536)}{pair}`, true],
  ['64 KB of percent signs', `a=${'%'.repeat(65_536)}; {pair}`, true],
  ['thousands of cookies before', `${'a=1; '.repeat(5_000)}{pair}`, true],
  ['thousands of cookies after', `{pair}${'; a=1'.repeat(5_000)}`, true],
  ['thousands of semicolons', `${';'.repeat(20_000)}{pair}`, true],
];

const login: RequestSpec = {
  cookie: 'none',
  actions: [{ do: 'write', key: 'a', value: 1 }],
  ending: { by: 'end', body: null },
};

describe.each([
  ['sessions alone', options],
  ['behind cookie-parser', { ...options, cookieParser: true }],
])('%s', (_, options) => {
  const behind = options.cookieParser === true;
  // Behind cookie-parser a `j:` cookie is a 500 from the real one: listed in differences.ts.
  const cases = corpus.filter(([what]) => !(behind && what === 'j: and JSON'));

  test.each(cases)('%s', async (_, header, found) => {
    const use: RequestSpec = { cookie: { header }, actions: [], ending: { by: 'end', body: null } };
    const store = { kind: 'recording', touch: true, turns: 1, missing: 'undefined' } as const;
    const { exchanges } = await expectSame({ host: 'http', options, store, requests: [login, use] });
    expect(exchanges[1]!.log[0]!.id).toBe(found ? 'session/1' : 'session/2');
  });
});

describe('the name of the cookie', () => {
  test.each(['sid', 'a.b+c', "!#$%&'*+-.^_`|~", 'get', '0'])('%s', async (name) => {
    const use: RequestSpec = { cookie: 'latest', actions: [], ending: { by: 'end', body: null } };
    const without: RequestSpec = { ...use, cookie: { header: 'other=1' } };
    const { exchanges } = await expectSame({
      host: 'http',
      options: { ...options, name },
      store: { kind: 'recording', touch: true, turns: 1, missing: 'undefined' },
      requests: [login, use, without],
    });
    expect(exchanges.map(({ log }) => log[0]!.id)).toStrictEqual(['session/1', 'session/1', 'session/2']);
  });
});
