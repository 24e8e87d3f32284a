import session from '../../lib/index.js';
import { eventually } from '../support/async.js';
import { gate } from '../support/http.js';
import { CountingStore, closeAll, type SiteOptions, startSite, turns } from './support.js';
import { TellingStore } from './telling-store.js';

afterEach(closeAll);

const HOUR = 3_600_000;
const ENDED = [1008, 'session ended'];

/** A user whose socket has its session, and waits in the app's `upgrade`. Nothing but that looks at the store. */
async function opening({ options, ...how }: SiteOptions = {}) {
  const loaded = gate();
  const asked = gate();
  const waits = async () => {
    loaded.open();
    await asked.opened;
  };
  const site = await startSite({
    ...how,
    options: { touchAfter: HOUR, ...options },
    sockets: { checkInterval: HOUR, upgrade: (req: any) => (req.headers['x-waits'] ? waits() : undefined) },
  });
  await site.inRequest((req) => void Object.assign(req.session, { user: 'ada' }));
  const client = site.open({ 'x-waits': 'yes' });
  await loaded.opened;
  const open = () => {
    asked.open();
    return client;
  };
  return { site, open };
}

describe('a session that ends between its load and the answer to the handshake', () => {
  test.each<[string, (req: any) => unknown]>([
    ['destroy()', (req) => req.session.destroy()],
    ['clear()', (req) => req.session.clear()],
    ['regenerate()', (req) => req.session.regenerate()],
  ])('by %s: its socket is closed', async (_, act) => {
    const { site, open } = await opening();
    await site.inRequest((req) => void act(req));
    const { closed } = await open();

    expect(await closed).toEqual(ENDED);
  });

  test.each([
    ['plain ids', (store: session.SessionStore) => store],
    ['hashed ids', (store: session.SessionStore) => session.hashIds(store)],
  ])('by revoke(), %s: its socket is closed', async (_, wrap) => {
    const inner = new CountingStore();
    const owned = async function* () {
      for (const [key, { text: value }] of inner.records) {
        yield { key, value, matches: (id: string) => id === key, destroy: () => inner.destroy(key) };
      }
    };
    const store = wrap(Object.assign(inner, { owned }));
    const { site, open } = await opening({ options: { store, owner: 'user' } });
    expect(await site.sessions.revoke('ada')).toBe(1);
    const { closed } = await open();

    expect(await closed).toEqual(ENDED);
  });

  test('in another process that tells of it: its socket is closed', async () => {
    const store = new TellingStore();
    const { site, open } = await opening({ store });
    await site.open({ cookie: '' }); // from the first socket on, notices are heard
    const there = await startSite({ store });
    await there.inRequest((req) => void req.session.destroy(), site.cookie());
    const { closed } = await open();

    expect(await closed).toEqual(ENDED);
  });

  test('before the first socket is open, and notices are heard: its socket is closed', async () => {
    const store = new TellingStore();
    const { site, open } = await opening({ store });
    const there = await startSite({ store });
    await there.inRequest((req) => void req.session.destroy(), site.cookie());
    const { closed } = await open();

    expect(await closed).toEqual(ENDED);
  });

  test('a rotation and a logout under the new id: its socket is closed', async () => {
    const { site, open } = await opening({ options: { rotateAfter: 10, rotateGrace: HOUR } });
    const before = site.cookie();
    await eventually(async () => {
      await site.inRequest(() => {});
      return site.cookie() === before ? undefined : true;
    });
    await site.inRequest((req) => void req.session.destroy());
    const { closed } = await open();

    expect(await closed).toEqual(ENDED);
  });
});

test('what happens to other sessions costs no look at the store', async () => {
  const { site, open } = await opening();
  await site.inRequest((req) => void Object.assign(req.session, { user: 'bob' }), '');
  await site.inRequest((req) => void req.session.destroy());
  site.store.calls.length = 0;
  const { socket } = await open();
  await turns();

  expect(site.store.calls).toEqual([]);
  expect(socket.readyState).toBe(socket.OPEN);
});
