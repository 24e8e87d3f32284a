/** Two requests of one session at the same time, over a callback store: the last write wins, as in express-session. */
import type { AddressInfo } from 'node:net';
import { send } from './client.js';
import { useFrozenClock } from './clock.js';
import { SECRETS, signedValue } from './cookies.js';
import { comparableResponse } from './differences.js';
import { listen } from './hosts.js';
import { type Call, makeRecordingStore } from './recording-store.js';
import { type Middleware, ours, type Request, real, type Subject } from './subjects.js';

useFrozenClock();

type Change = (session: Record<string, any>, req: Request) => void;

const nothing: Change = () => undefined;
const set =
  (key: string): Change =>
  (session) => {
    session[key] = 'changed';
  };
const call =
  (method: string): Change =>
  (session) =>
    session[method](() => undefined);
const unset: Change = (_session, req) => {
  req['session'] = null;
};

/** What each request does once both have loaded the session. The second ends first. */
const cases: [what: string, first: Change, second: Change][] = [
  ['both change one key', set('a'), set('a')],
  ['each changes a key of its own', set('a'), set('b')],
  ['one changes, one reads', set('a'), nothing],
  ['one reads, one changes', nothing, set('b')],
  ['both read', nothing, nothing],
  ['one changes, one destroys', set('a'), call('destroy')],
  ['one reads, one destroys', nothing, call('destroy')],
  ['one changes, one regenerates', set('a'), call('regenerate')],
  ['one saves, one regenerates', call('save'), call('regenerate')],
  ['one changes, one unsets', set('a'), unset],
];

test.each(cases)('%s', async (_, first, second) => {
  const expected = await overlap(real, [first, second]);
  expect(expected.responses).toMatchObject([{ body: 'answer 0' }, { body: 'answer 1' }]);
  expect(await overlap(ours, [first, second])).toStrictEqual(expected);
});

interface Seen {
  responses: unknown[];
  calls: Call[];
  stored: [string, string][];
}

async function overlap(subject: Subject, changes: Change[]): Promise<Seen> {
  const id = 'known';
  const record = '{"cookie":{"originalMaxAge":null,"expires":null,"httpOnly":true,"path":"/"},"old":0}';
  const spec = { kind: 'recording', touch: true, turns: 1, missing: 'undefined' } as const;
  const store = makeRecordingStore(subject, { ...spec, records: { [id]: record } });
  const { handler, bothHaveLoaded, finish } = gatedHandler(changes);
  const server = await listen('http', {
    before: [],
    sessions: [
      subject({ ...{ secret: SECRETS[0], store, unset: 'destroy', genid: () => 'new' }, ...quietly }),
    ],
    mountAt: '/',
    trustProxy: false,
    handler,
    onError: (error) => {
      throw error;
    },
  });
  const { port } = server.address() as AddressInfo;
  const headers = { Cookie: `connect.sid=${signedValue(id, SECRETS[0])}` };
  const answers = [0, 1].map((index) => send(port, 'GET', `/${index}`, headers));
  await bothHaveLoaded;
  for (const index of [1, 0]) {
    finish(index);
    await answers[index];
  }
  server.close();
  const responses = (await Promise.all(answers)).map(comparableResponse);
  return { responses, calls: store.takeCalls(), stored: [...store.records] };
}

const quietly = { resave: false, saveUninitialized: false };

interface Gated {
  handler: Middleware;
  bothHaveLoaded: Promise<void>;
  /** Lets a request go on: it makes its change, and a few turns later it ends. */
  finish(index: number): void;
}

function gatedHandler(changes: Change[]): Gated {
  const goOn: (() => void)[] = [];
  let loaded!: () => void;
  return {
    bothHaveLoaded: new Promise((resolve) => {
      loaded = resolve;
    }),
    handler: (req, res) => {
      const index = Number(req.url?.slice(1));
      goOn[index] = () => {
        changes[index]?.(req['session'], req);
        setTimeout(() => res.end(`answer ${index}`), 5);
      };
      if (Object.keys(goOn).length === changes.length) loaded();
    },
    finish: (index) => goOn[index]?.(),
  };
}
