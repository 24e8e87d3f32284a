/** Session cookies that reach us only as what cookie-parser, or something like it, made of them. */
import type { AddressInfo } from 'node:net';
import { send } from './client.js';
import { useFrozenClock } from './clock.js';
import { SECRETS, signedValue } from './cookies.js';
import { type Deprecation, deprecationsOf } from './deprecations.js';
import { listen } from './hosts.js';
import { makeRecordingStore } from './recording-store.js';
import type { Request, Subject } from './subjects.js';

useFrozenClock();

const id = 'known';
const signed = decodeURIComponent(signedValue(id, SECRETS[0]));
const foreign = decodeURIComponent(signedValue(id, 'the secret of cookie-parser'));
const message = 'cookie should be available in req.headers.cookie';

/** What an earlier middleware put on the request, the Cookie header, and whether the session is found. */
const cases: [what: string, parsed: object, header: string, found: boolean, warns: boolean][] = [
  ['signedCookies', { signedCookies: { sid: id } }, '', true, true],
  ['signedCookies and an unsigned header', { signedCookies: { sid: id } }, 'sid=known', true, true],
  [
    'signedCookies and a header of another secret',
    { signedCookies: { sid: id } },
    `sid=${foreign}`,
    true,
    true,
  ],
  [
    'signedCookies of another id, and a good header',
    { signedCookies: { sid: 'x' } },
    `sid=${signed}`,
    true,
    false,
  ],
  ['signedCookies that failed to verify', { signedCookies: { sid: false } }, '', false, false],
  [
    'signedCookies that failed, and good cookies',
    { signedCookies: { sid: false }, cookies: { sid: signed } },
    '',
    true,
    true,
  ],
  ['empty signedCookies', { signedCookies: {} }, '', false, false],
  ['no signedCookies', { signedCookies: undefined }, '', false, false],
  ['cookies', { cookies: { sid: signed } }, '', true, true],
  ['cookies of another secret', { cookies: { sid: foreign } }, '', false, false],
  ['cookies, unsigned', { cookies: { sid: id } }, '', false, false],
  ['cookies, empty', { cookies: { sid: '' } }, '', false, false],
  ['cookies of another name', { cookies: { other: signed } }, '', false, false],
  ['cookies and a good header', { cookies: { sid: 's:x.y' } }, `sid=${signed}`, true, false],
  ['signedCookies before cookies', { signedCookies: { sid: id }, cookies: { sid: 's:x.y' } }, '', true, true],
  ['a good header alone', {}, `sid=${signed}`, true, false],
];

interface Seen {
  sessionID: string;
  calls: string[];
  deprecations: Deprecation[];
}

describe.each(['express-session', '../../lib/index.js'])('%s', (name) => {
  test.each(cases)('%s', async (_, parsed, header, found, warns) => {
    expect(await visit(load(name), parsed, header)).toStrictEqual({
      sessionID: found ? id : 'new',
      calls: found ? ['get known', 'touch known'] : [],
      deprecations: warns ? [{ namespace: 'express-session', message }] : [],
    });
  });
});

/** Freshly loaded, since a package warns once per place. */
function load(name: string): Subject {
  let subject: unknown;
  jest.isolateModules(() => {
    subject = require(name);
  });
  return subject as Subject;
}

async function visit(subject: Subject, parsed: object, header: string): Promise<Seen> {
  const records = { [id]: '{"cookie":{"originalMaxAge":null,"expires":null,"httpOnly":true,"path":"/"}}' };
  const store = makeRecordingStore(subject, {
    kind: 'recording',
    touch: true,
    turns: 1,
    missing: 'undefined',
    records,
  });
  const options = {
    secret: SECRETS[0],
    resave: false,
    saveUninitialized: false,
    name: 'sid',
    genid: () => 'new',
    store,
  };
  let sessionID = '';
  const server = await listen('http', {
    before: [(req, _res, next) => next(void Object.assign(req, parsed))],
    sessions: [subject(options)],
    mountAt: '/',
    trustProxy: false,
    handler: (req: Request, res) => {
      sessionID = req['sessionID'];
      res.end();
    },
    onError: (error) => {
      throw error;
    },
  });
  const { port } = server.address() as AddressInfo;
  const deprecations = await deprecationsOf(() =>
    send(port, 'GET', '/', header === '' ? {} : { Cookie: header }),
  );
  server.close();
  return {
    sessionID,
    deprecations,
    calls: store.takeCalls().map((call) => `${call.operation} ${String(call.id)}`),
  };
}
