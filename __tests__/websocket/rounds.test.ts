import { type Fate, type OpenSocket, SocketRegistry } from '../../lib/sockets/sockets.js';
import { eventually } from '../support/async.js';
import { gate } from '../support/http.js';
import { CountingStore, closeAll, type SiteOptions, startSite, turns } from './support.js';
import { TellingStore } from './telling-store.js';

afterEach(closeAll);
afterEach(() => {
  jest.restoreAllMocks();
});

const HOUR = 3_600_000;
const ENDED = [1008, 'session ended'];

/** A store that never answers for one session. */
class HangingStore extends CountingStore {
  hangingId: string | undefined;
  hung = 0;

  override async get(id: string): Promise<string | undefined> {
    if (id === this.hangingId) {
      this.hung++;
      await new Promise(() => {});
    }
    return super.get(id);
  }
}

async function connected(how: SiteOptions) {
  const site = await startSite(how);
  await site.inRequest((req) => void Object.assign(req.session, { user: 'ada' }));
  const client = await site.open();
  return { site, client, req: site.opened[0]!.req };
}

/** Rotates the session by requests to another process, which ends it after that. */
async function rotateElsewhere(store: CountingStore, cookie: string, times: number) {
  const there = await startSite({ store, options: { rotateAfter: 10, rotateGrace: HOUR } });
  await there.inRequest(() => {}, cookie);
  for (let rotations = 0; rotations < times; ) {
    const { setCookie } = await there.inRequest(() => {}, there.cookie() || cookie);
    if (setCookie.length > 0) rotations++;
  }
  await there.inRequest((req) => void req.session.destroy(), there.cookie());
}

describe('a session that was rotated elsewhere, several times, and then logged out there', () => {
  const options = { rotateAfter: HOUR, rotateGrace: HOUR }; // here the ids stay

  test('closes its sockets at one look, however many its ids', async () => {
    const store = new TellingStore();
    const { site, client, req } = await connected({ store, options, sockets: { checkInterval: HOUR } });
    const first = req.sessionID;
    await rotateElsewhere(store, site.cookie(), 3);
    expect(req.sessionID).toBe(first);
    for (const listener of store.listeners) listener(first); // one look

    expect(await client.closed).toEqual(ENDED);
  });

  test('is followed for no longer than it has sockets', async () => {
    const store = new TellingStore();
    const { site, client, req } = await connected({ store, options, sockets: { checkInterval: HOUR } });
    await rotateElsewhere(store, site.cookie(), 3);
    const reads = store.count('get');
    const gone = new Promise((resolve) => site.opened[0]!.client.on('close', resolve));
    client.socket.close();
    await gone;
    for (const listener of store.listeners) listener(req.sessionID);
    await turns();

    expect(store.count('get') - reads).toBeLessThanOrEqual(1); // that of the socket's own end
  });
});

describe('a look-up that hangs', () => {
  /** Two users with a socket each; the store hangs when it is asked for the first one's session. */
  async function halfHanging(options: SiteOptions['options'] = {}) {
    const store = new HangingStore();
    const { site, client, req } = await connected({ store, options, sockets: { checkInterval: 20 } });
    await site.inRequest((request) => void Object.assign(request.session, { user: 'bob' }), '');
    const other = await site.open();
    store.hangingId = req.sessionID;
    await eventually(() => (store.hung > 0 ? true : undefined));
    return { site, store, client, other };
  }

  test('keeps no other session from being looked up, and is not begun twice', async () => {
    const { site, store, client, other } = await halfHanging();
    const { sessionID } = site.opened[1]!.req;
    const reads = store.count('get');
    await eventually(() => (store.count('get') > reads + 2 ? true : undefined));
    store.records.delete(sessionID);

    expect(await other.closed).toEqual(ENDED);
    expect(store.hung).toBe(1);
    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });

  test('keeps no other session from ending in time', async () => {
    const { other } = await halfHanging({ absoluteTimeout: 500 });

    expect(await other.closed).toEqual(ENDED);
  });
});

test('no more than 50 sessions are looked up at a time, and all of them in the end', async () => {
  const store = new CountingStore();
  const site = await startSite({ store, sockets: { checkInterval: 300 } });
  const asked = gate();
  for (let user = 0; user < 60; user++) {
    await site.inRequest((req) => void Object.assign(req.session, { user }), '');
    await site.open();
  }
  const get = store.get.bind(store);
  const ids: string[] = [];
  jest.spyOn(store, 'get').mockImplementation(async (id) => {
    ids.push(id);
    await asked.opened;
    return get(id);
  });
  await eventually(() => (ids.length >= 50 ? true : undefined));
  await turns();
  expect(ids).toHaveLength(50);
  asked.open();
  await eventually(() => (new Set(ids).size === 60 ? true : undefined));
});

test('a clock that is set back does not put off the next round', async () => {
  const { site, client } = await connected({ sockets: { checkInterval: 50 } });
  const real = Date.now.bind(Date);
  jest.spyOn(Date, 'now').mockImplementation(() => real() - HOUR);
  site.store.records.clear();

  expect(await client.closed).toEqual(ENDED);
});

describe('the timer of all sockets', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  function registered(sockets: { id: string; lives: number }[]) {
    const lookUp = jest.fn(async (_id: string): Promise<Fate> => 'alive');
    const registry = new SocketRegistry(lookUp);
    const open = sockets.map(({ id, lives }): OpenSocket => {
      const context = { req: { sessionID: id }, wasStored: () => true };
      return { context, life: { livesUntil: Date.now() + lives }, end() {} } as unknown as OpenSocket;
    });
    for (const socket of open) registry.add(socket);
    return { registry, open, lookUp };
  }

  test('is gone with the last of them', () => {
    const { registry, open } = registered([
      { id: 'a', lives: HOUR },
      { id: 'b', lives: HOUR },
    ]);
    registry.remove(open[0]!);
    expect(jest.getTimerCount()).toBe(1);
    registry.remove(open[1]!);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('between two rounds looks up just those whose time is over', async () => {
    const { lookUp } = registered([
      { id: 'short', lives: 1000 },
      { id: 'long', lives: HOUR },
    ]);
    await jest.advanceTimersByTimeAsync(1100);
    expect(lookUp.mock.calls).toEqual([['short']]);
    await jest.advanceTimersByTimeAsync(30_000);
    expect(lookUp.mock.calls).toEqual([['short'], ['short'], ['long']]);
  });
});
