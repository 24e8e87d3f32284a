import session from '../../lib/index.js';
import { eventually } from '../support/async.js';
import { closeAll, hashed, startSite, turns } from './support.js';
import { TellingStore } from './telling-store.js';

afterEach(closeAll);

const HOUR = 3_600_000;
const KEY = Buffer.alloc(32, 7);

const { hashIds, encrypt } = session;
const WRAPPERS: [string, (store: TellingStore) => session.SessionStore][] = [
  ['nothing around it', (store) => store],
  ['hashIds', (store) => hashIds(store)],
  ['encrypt', (store) => encrypt(store, KEY)],
  ['hashIds of encrypt', (store) => hashIds(encrypt(store, KEY))],
  ['encrypt of hashIds', (store) => encrypt(hashIds(store), KEY)],
];

describe.each(WRAPPERS)('a store that tells what is destroyed, with %s', (_, wrap) => {
  test.each([
    ['an id', (id: string) => id],
    ['the hash of an id', (id: string) => (id.startsWith('sha256-') ? id : hashed(id))],
  ])('by %s: sockets elsewhere are closed at once, those of other sessions are not', async (_by, nameOf) => {
    const inner = new TellingStore();
    inner.nameOf = nameOf;
    const here = await startSite({ options: { store: wrap(inner) }, sockets: { checkInterval: HOUR } });
    const there = await startSite({ options: { store: wrap(inner) } }); // knows nothing of the other's sockets
    await here.inRequest((req) => void Object.assign(req.session, { user: 'ada' }));
    const client = await here.open();
    const before = here.cookie();
    await here.inRequest((req) => void Object.assign(req.session, { user: 'bob' }), '');
    const other = await here.open({ cookie: here.cookie() });
    expect(here.cookie()).not.toBe(before);
    await there.inRequest((req) => void req.session.destroy(), before);

    expect(await client.closed).toEqual([1008, 'session ended']);
    expect(other.socket.readyState).toBe(other.socket.OPEN);
  });

  test('a name that nobody knows closes none', async () => {
    const inner = new TellingStore();
    const site = await startSite({ options: { store: wrap(inner) }, sockets: { checkInterval: HOUR } });
    await site.inRequest((req) => void Object.assign(req.session, { user: 'ada' }));
    const client = await site.open();
    const reads = inner.count('get');
    for (const listener of inner.listeners) for (const name of ['x', hashed('x'), '']) listener(name);
    await eventually(() => client.socket.readyState === client.socket.OPEN);

    expect(inner.count('get')).toBe(reads);
    expect(inner.listeners.size).toBe(1);
  });
});

test.each([undefined, null, Buffer.from('abc'), {}])(
  'a store that tells %p is listened to further',
  async (name) => {
    const inner = new TellingStore();
    const here = await startSite({ options: { store: inner }, sockets: { checkInterval: HOUR } });
    const there = await startSite({ options: { store: inner } });
    await here.inRequest((req) => void Object.assign(req.session, { user: 'ada' }));
    const client = await here.open();
    for (const listener of inner.listeners) listener(name as string);
    await turns(); // a promise that is rejected, for which there is nobody, ends the process
    await there.inRequest((req) => void req.session.destroy(), here.cookie());

    expect(await client.closed).toEqual([1008, 'session ended']);
  },
);

test('a session that was rotated is found by the hash of its new id, and by no former one', async () => {
  const inner = new TellingStore();
  const options = { rotateAfter: 10, rotateGrace: HOUR };
  const site = await startSite({ options: { store: inner, ...options }, sockets: { checkInterval: HOUR } });
  await site.inRequest((req) => void Object.assign(req.session, { user: 'ada' }));
  const client = await site.open();
  const { req } = site.opened[0]!;
  const before = req.sessionID;
  await eventually(async () => {
    await site.inRequest(() => {});
    return req.sessionID === before ? undefined : true;
  });
  inner.records.clear();
  for (const listener of inner.listeners) listener(hashed(before));
  await new Promise(setImmediate);
  expect(client.socket.readyState).toBe(client.socket.OPEN);
  for (const listener of inner.listeners) listener(hashed(req.sessionID));

  expect(await client.closed).toEqual([1008, 'session ended']);
});
