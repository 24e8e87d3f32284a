import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Identifier } from '../lib/cookies/identify.js';
import { signatureOf } from '../lib/cookies/signature.js';
import type { IncomingRequest } from '../lib/request/context.js';

const SECRETS = ['keyboard cat'];
const signed = `s:an id.${signatureOf('an id', SECRETS[0]!)}`;
const usual = encodeURIComponent(signed);

function identifier(): (value: string) => readonly unknown[] {
  const one = new Identifier('connect.sid');
  return (value) =>
    one.identify({ headers: { cookie: `connect.sid=${value}` } } as unknown as IncomingRequest, SECRETS);
}

test.each([
  ['as we send it', usual],
  ['not encoded', signed],
])('a cookie %s is verified once', (_, value) => {
  const identify = identifier();
  const first = identify(value);
  expect(first).toEqual([expect.objectContaining({ id: 'an id' })]);
  expect(identify(value)).toBe(first);
});

test.each([
  ['another letter encoded', usual.replace('an', '%61n')],
  ['in lower case', usual.replace('%3A', '%3a')],
])(
  'another spelling of a cookie is as good, and not remembered, since there is no end of them: %s',
  (_, value) => {
    const identify = identifier();
    const first = identify(value);
    expect(first).toEqual([expect.objectContaining({ id: 'an id' })]);
    expect(identify(value)).toEqual(first);
    expect(identify(value)).not.toBe(first);
  },
);

test('an id that cookie-parser has cut out of a header keeps nothing else of it in memory', () => {
  process.noDeprecation = true;
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = () => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const one = new Identifier('connect.sid');
  const before = used();
  const kept = Array.from({ length: 300 }, (_, n) => {
    const header = `${'x'.repeat(100_000)}${n} is the id that cookie-parser has verified`;
    const req = { headers: {}, signedCookies: { 'connect.sid': header.slice(100_000) } };
    return one.identify(req as unknown as IncomingRequest, SECRETS);
  });

  expect(used() - before).toBeLessThan(300 * 10_000);
  expect(kept[299]).toEqual([
    { id: '299 is the id that cookie-parser has verified', signedByOldSecret: false },
  ]);
});
