import type { IncomingMessage } from 'node:http';
import { gate } from '../support/http.js';
import { movingClock } from '../support/moving-clock.js';
import { CountingStore, closeAll, type SiteOptions, say, startSite, turns } from './support.js';
import { TellingStore } from './telling-store.js';

// Several operations on the one session of a socket, at the same time; and other processes that have it too.

afterEach(closeAll);
const clock = movingClock();

const HOUR = 3_600_000;
/** A message prolongs the session no more often than once a second. */
const MESSAGE_PROLONGS = 2000;

/** A socket's session here, and another process over the same store. */
async function connected(how: SiteOptions = {}) {
  const { store = new CountingStore() } = how;
  const site = await startSite({ ...how, store });
  await site.inRequest((req) => void Object.assign(req.session, { n: 0 }));
  const client = await site.open();
  const there = await startSite({ ...how, store });
  const elsewhere = (action: (req: any) => unknown) =>
    there.inRequest(action, there.cookie() || site.cookie());
  const heard = async () => {
    clock.advance(MESSAGE_PROLONGS);
    await say(site, client);
    await turns();
  };
  return { store, client, req: site.opened[0]!.req, elsewhere, heard };
}

/** An `update()` that is in the midst of its change until it is let go. */
async function updating(req: IncomingMessage & { session: any }) {
  const begun = gate();
  const goOn = gate();
  let runs = 0;
  const outcome = req.session
    .update(async (data: any) => {
      runs++;
      begun.open();
      await goOn.opened;
      data.n++;
    })
    .catch((error: any) => error.code);
  await begun.opened;
  return {
    async end() {
      goOn.open();
      return outcome;
    },
    runs: () => runs,
  };
}

describe('while a socket updates its session', () => {
  test('and hears a message, the session that was destroyed elsewhere stays so', async () => {
    const { store, client, req, elsewhere, heard } = await connected();
    const update = await updating(req);
    await elsewhere((there) => there.session.destroy());
    await heard();

    expect(await update.end()).toBe('ERR_SESSION_GONE');
    expect(store.data()).toEqual([]);
    expect(await client.closed).toEqual([1008, 'session ended']);
  });

  test('and hears a message, what was changed elsewhere is kept', async () => {
    const { store, req, elsewhere, heard } = await connected();
    const update = await updating(req);
    await elsewhere((there) =>
      there.session.update((data: any) => Object.assign(data, { n: 1, theirs: true })),
    );
    await heard();
    await update.end();

    expect(store.data()).toEqual([{ n: 2, theirs: true }]);
    expect(update.runs()).toBe(2);
  });

  test('what it saves itself is kept', async () => {
    const { store, req } = await connected();
    const update = await updating(req);
    req.session.flash = 'hi';
    await req.session.save();
    await update.end();

    expect(store.data()).toEqual([{ n: 1, flash: 'hi' }]);
    expect(req.session).toMatchObject({ n: 1, flash: 'hi' });
  });

  test('what it destroys itself stays so', async () => {
    const { store, req } = await connected();
    const update = await updating(req);
    await req.session.destroy();

    expect(await update.end()).toBe('ERR_SESSION_GONE');
    expect(store.data()).toEqual([]);
  });

  test('what it puts in the session under the same key is not lost', async () => {
    const { store, req } = await connected();
    const update = await updating(req);
    req.session.n = 10;
    await update.end();
    expect(req.session.n).toBe(10);
    await req.session.save();

    expect(store.data()).toEqual([{ n: 10 }]);
  });
});

test('what a socket has saved beside an update, and then removes, stays away', async () => {
  const { store, req } = await connected();
  const update = await updating(req);
  req.session.flash = 'hi';
  await Promise.all([req.session.save(), update.end()]);
  delete req.session.flash;
  await req.session.save();

  expect(store.data()).toEqual([{ n: 1 }]);
});

/** A store one read of which can be held when it has been done. */
class SlowStore extends CountingStore {
  readonly begun = gate();
  readonly goOn = gate();
  isHeld = false;

  override async get(id: string): Promise<string | undefined> {
    const text = await super.get(id);
    if (this.isHeld) {
      this.isHeld = false;
      this.begun.open();
      await this.goOn.opened;
    }
    return text;
  }
}

test.each<[string, (session: any) => Promise<unknown>]>([
  ['save', (session) => Object.assign(session, { own: true }).save()],
  ['update', (session) => session.update((data: any) => data.n++)],
])(
  'a %s that reads the session again while its id is rotated does not bring it back after a logout',
  async (_name, act) => {
    const store = new SlowStore();
    const site = await startSite({ store, options: { rotateAfter: HOUR, rotateGrace: 24 * HOUR } });
    await site.inRequest((req) => void Object.assign(req.session, { n: 0 }));
    await site.open();
    const { req } = site.opened[0]!;
    const there = await startSite({ store, options: { rotateAfter: 24 * HOUR, rotateGrace: 24 * HOUR } });
    await there.inRequest((other) => void Object.assign(other.session, { theirs: true }), site.cookie()); // so that it has to read
    store.isHeld = true;
    const done = act(req.session).catch(() => {});
    await store.begun.opened;
    clock.advance(2 * HOUR);
    await site.inRequest(() => {}); // rotates
    await site.inRequest((request) => request.session.destroy());
    store.goOn.open();
    await done;

    expect(store.data().filter((data) => 'n' in data)).toEqual([]);
  },
);

describe('a socket whose session was rotated elsewhere', () => {
  const options = { rotateAfter: HOUR, rotateGrace: 24 * HOUR };

  test.each<[string, (how: Awaited<ReturnType<typeof connected>>) => Promise<unknown>]>([
    ['a message', ({ heard }) => heard()],
    ['an update', ({ req }) => req.session.update((data: any) => data.n++)],
    ['a save', ({ req }) => Object.assign(req.session, { own: true }).save()],
  ])('is closed by a logout after %s over it', async (_name, act) => {
    const store = new TellingStore();
    const site = await connected({ store, options, sockets: { checkInterval: HOUR } });
    const { client, req, elsewhere } = site;
    const first = req.sessionID;
    clock.advance(2 * HOUR);
    await elsewhere(() => {});
    await act(site);
    expect(req.sessionID).not.toBe(first);
    await elsewhere((there) => there.session.destroy()); // the store tells of it, by the present id

    expect(await client.closed).toEqual([1008, 'session ended']);
  });
});
