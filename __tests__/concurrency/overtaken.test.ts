import type session from '../../lib/index.js';
import { type Gate, gate, turn } from '../support/http.js';
import { closeSites } from '../support/sites.js';
import { poolStore } from './pool-store.js';
import { INITIAL, share } from './shared-session.js';

// What a request knows of its record, while several of its own reads and writes of it overtake one another.

afterEach(closeSites);

describe.each<[string, object[], (session: any) => unknown]>([
  ['clear()', [], (session) => session.clear()],
  ['regenerate()', [{}], (session) => session.regenerate()],
])('%s', (_name, left, leave) => {
  test('a session that an update has stored for the first time is not left behind', async () => {
    const shared = await share('text store');
    await shared.strange(async ({ session }) => {
      Object.assign(session, { cart: [1], step: 1 });
      await session.update((draft: any) => {
        delete draft.cart;
        Object.assign(draft, { cart: [2] }); // now in another order than in the session
      });
      await leave(session);
    });
    await shared.settled();

    expect(Object.values(shared.data())).toEqual([INITIAL, ...left]);
  });

  test('a regenerated session that an update has stored for the first time is not left behind', async () => {
    const shared = await share('text store');
    await shared.request(async (req) => {
      await req.session.regenerate({ keep: ['a'] });
      req.session.user = 'ada';
      await req.session.take('flash');
      await leave(req.session);
    });
    await shared.settled();

    expect(Object.values(shared.data())).toEqual(left);
  });
});

/** A store whose reads can be held, before they are done and when they have been. */
function slowReads() {
  const { store } = poolStore();
  let next: Record<'beginning' | 'end', Gate> | undefined;
  const get = async (id: string) => {
    const held = next;
    next = undefined;
    await held?.beginning.opened;
    const text = await store.get(id);
    await held?.end.opened;
    return text;
  };
  const holdNextRead = () => {
    next = { beginning: gate(), end: gate() };
    return next;
  };
  return { store: { ...store, get }, holdNextRead };
}

describe('a save that is answered while an update is reading', () => {
  test('the value that it has stored stays', async () => {
    const { store, holdNextRead } = slowReads();
    const shared = await share(store);
    await shared.request(async ({ session }) => {
      const read = holdNextRead();
      const taken = session.take('flash'); // there is none, so that the update has nothing to store
      read.beginning.open();
      await turn();
      await Object.assign(session, { user: 'ada' }).save();
      read.end.open();
      expect(await taken).toBeUndefined();
      expect(session.user).toBe('ada');
    });
  });

  test('the key that it has removed does not come back', async () => {
    const { store, holdNextRead } = slowReads();
    const shared = await share(store);
    await shared.request(async ({ session }) => {
      const read = holdNextRead();
      const taken = session.take('flash');
      read.beginning.open();
      await turn();
      delete session.a;
      await session.save();
      read.end.open();
      await taken;
      expect(session).not.toHaveProperty('a');
    });
  });

  test('what was stored for a while, when the update read it, does not come back', async () => {
    const { store, holdNextRead } = slowReads();
    const shared = await share(store);
    await shared.request(async ({ session }) => {
      await Object.assign(session, { k: 1 }).save();
      const read = holdNextRead();
      const taken = session.take('flash');
      await turn();
      await Object.assign(session, { k: 2 }).save();
      read.beginning.open();
      await turn();
      await Object.assign(session, { k: 1 }).save();
      read.end.open();
      await taken;
      expect(session.k).toBe(1);
    });
  });
});

test.each([{}, { mine: 1 }])(
  'what another request changes after an update has seen its last change is not undone by the late answer to a save, %j',
  async (change) => {
    const { store, hold, release, data } = poolStore();
    const shared = await share(store);
    await shared.request(async ({ session }) => {
      hold('after');
      const saved = Object.assign(session, change).save();
      await turn(); // it has been stored
      await shared.request((other) => Object.assign(other.session, { theirs: 1 }));
      await session.update(() => {});
      release(0);
      await saved;
      await shared.request((other) => Object.assign(other.session, { theirs: 2 }));
    });
    await shared.settled();

    expect(await data(shared.id)).toEqual({ ...INITIAL, ...change, theirs: 2 });
  },
);

test('an update ends although saves of its request are answered during each of its reads', async () => {
  const { store } = poolStore();
  let saves: (() => Promise<void>) | undefined;
  const get = async (id: string) => {
    const text = await store.get(id);
    await saves?.();
    return text;
  };
  const shared = await share({ ...store, get });
  let reads = 0;
  await shared.request(async (req) => {
    saves = async () => {
      reads++;
      req.session.tick = reads;
      await req.session.save();
    };
    await req.session.update((draft: any) => Object.assign(draft, { done: true }));
    saves = undefined;
  });

  expect(reads).toBeLessThan(10);
});

test('what is put back after an update that has failed, though it was stored, is stored', async () => {
  const { store, data } = poolStore();
  let fails = false;
  const set: session.SessionStore['set'] = async (...args) => {
    const written = await store.set(...args);
    if (!fails) return written;
    fails = false;
    throw new Error('the answer is lost');
  };
  const shared = await share({ ...store, set });
  await shared.request(async ({ session }) => {
    session.a = 'admin';
    fails = true;
    await expect(session.update((draft: any) => draft.n++)).rejects.toThrow('the answer is lost');
    session.a = 'initial';
  });
  await shared.settled();

  expect(await data(shared.id)).toMatchObject({ a: 'initial' });
});

describe('a save that stores what was there before, while another write is under way', () => {
  test('the update that was begun first is not lost to the next request', async () => {
    const { store, hold, release, data } = poolStore();
    const shared = await share(store);
    const increment = (draft: any) => draft.n++;
    await shared.request(async ({ session }) => {
      hold('before', 'after');
      const updated = session.update(increment);
      await turn(); // it is about to be stored
      const saved = session.save();
      await turn();
      release(0);
      await updated;
      await shared.request((other) => other.session.update(increment));
      for (let turns = 0; turns < 5; turns++) await turn(); // the save has been stored
      release(1);
      await saved;
    });
    await shared.settled();

    expect(await data(shared.id)).toEqual({ ...INITIAL, n: 2 });
  });

  test('a token that is taken while it is being saved is given out once', async () => {
    const { store, holdNext, release, data } = poolStore();
    const shared = await share(store);
    await shared.request(async ({ session }) => {
      holdNext(1);
      const saved = Object.assign(session, { token: 't' }).save();
      const taken = session.take('token');
      await turn();
      release(0);
      await saved;
      expect(await taken).toBe('t');
    });
    await shared.settled();

    expect(await data(shared.id)).toEqual(INITIAL);
  });

  test('a key that was put in and removed again does not stay', async () => {
    const { store, holdNext, release, data } = poolStore();
    const shared = await share(store);
    await shared.request(async ({ session }) => {
      holdNext(1);
      const first = Object.assign(session, { admin: true }).save();
      delete session.admin;
      const second = session.save();
      await turn();
      release(0);
      await Promise.all([first, second]);
    });
    await shared.settled();

    expect(await data(shared.id)).toEqual(INITIAL);
  });
});
