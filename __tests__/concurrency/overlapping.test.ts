import type session from '../../lib/index.js';
import { beginTrying, endTrying, newView } from '../../lib/request/stored-view.js';
import { gate, turn } from '../support/http.js';
import { movingClock } from '../support/moving-clock.js';
import { closeSites } from '../support/sites.js';
import { poolStore } from './pool-store.js';
import { bodyOf, INITIAL, share } from './shared-session.js';

// Several saves and updates of one request, over a store that carries them out in another order, as a pool of
// connections may.

afterEach(closeSites);
const clock = movingClock();

test('the second of two saves first: neither loses what the other has stored', async () => {
  const { store, holdNext, release, data } = poolStore();
  const shared = await share(store);
  await shared.request(async ({ session }) => {
    holdNext(1);
    const first = Object.assign(session, { one: 1 }).save();
    await Object.assign(session, { two: 2 }).save();
    release(0);
    await first;
  });

  expect(await data(shared.id)).toEqual({ ...INITIAL, one: 1, two: 2 });
});

test('the second of two saves of a new session first', async () => {
  const { store, holdNext, release, data } = poolStore();
  const shared = await share(store);
  const answer = await shared.strange(async ({ session, sessionID }) => {
    holdNext(1);
    const first = Object.assign(session, { one: 1 }).save();
    await Object.assign(session, { two: 2 }).save();
    release(0);
    await first;
    return sessionID;
  });

  expect(await data(bodyOf(answer) as string)).toEqual({ one: 1, two: 2 });
});

test('an update before a save that began earlier: both hold', async () => {
  const { store, holdNext, release, data } = poolStore();
  const shared = await share(store);
  await shared.request(async ({ session }) => {
    holdNext(1);
    const saved = Object.assign(session, { one: 1 }).save();
    await session.update((draft: any) => draft.n++);
    release(0);
    await saved;
    expect(session).toMatchObject({ n: 1, one: 1 });
  });

  expect(await data(shared.id)).toEqual({ ...INITIAL, n: 1, one: 1 });
});

test('what two saves have stored can be removed after them', async () => {
  const { store, holdNext, release, data } = poolStore();
  const shared = await share(store);
  await shared.request(async ({ session }) => {
    holdNext(2);
    const first = Object.assign(session, { one: 1 }).save();
    const second = Object.assign(session, { two: 2 }).save();
    release(0);
    await first;
    release(1);
    await second;
    delete session.one;
    delete session.two;
  });
  await shared.settled();

  expect(await data(shared.id)).toEqual(INITIAL);
});

test('what another request changes after an update and a save at once is not undone', async () => {
  const { store, holdNext, release, data } = poolStore();
  const shared = await share(store);
  const slow = await shared.begin(async ({ session }) => {
    holdNext(1);
    const saved = Object.assign(session, { one: 1 }).save();
    await session.update((draft: any) => draft.n++);
    release(0);
    await saved;
  });
  await shared.request(({ session }) =>
    session.update((draft: any) => Object.assign(draft, { n: 41, one: 'theirs' })),
  );
  await slow.finish(({ session }) => Object.assign(session, { last: true }));
  await shared.settled();

  expect(await data(shared.id)).toEqual({ ...INITIAL, n: 41, one: 'theirs', last: true });
});

test('the answer to a save comes after that to a later one: what others change then is not undone', async () => {
  const { store, holdNext, release, data } = poolStore({ done: true });
  const shared = await share(store);
  const slow = await shared.begin(async ({ session }) => {
    holdNext(1);
    const first = Object.assign(session, { one: 1, both: 1 }).save();
    await Object.assign(session, { two: 2, both: 2 }).save();
    release(0);
    await first;
  });
  const theirs = { one: 'theirs', two: 'theirs', both: 'theirs' };
  await shared.request(({ session }) => Object.assign(session, theirs));
  await slow.finish(({ session }) => Object.assign(session, { last: true }));
  await shared.settled();

  expect(await data(shared.id)).toEqual({ ...INITIAL, ...theirs, last: true });
});

test.each(['pass', 'error'] as const)(
  'what a save has stored, although it failed, can be removed after it: saveFailure %s',
  async (saveFailure) => {
    const { store, holdNext, release, data } = poolStore({ done: true });
    const shared = await share(store, { saveFailure, storeTimeout: 50 });
    await shared.request(async ({ session }) => {
      holdNext(1);
      const saved = Object.assign(session, { one: 1 }).save();
      await expect(saved).rejects.toMatchObject({ code: 'ERR_SESSION_STORE_TIMEOUT' });
      await shared.request((other) => Object.assign(other.session, { theirs: 1 }));
      delete session.one;
    });
    await shared.settled();
    release(0);

    expect(await data(shared.id)).toEqual({ ...INITIAL, theirs: 1 });
  },
);

test('what an update that failed has stored of the session can be removed after it', async () => {
  const { store, holdNext, release, data } = poolStore({ done: true });
  const shared = await share(store, { storeTimeout: 50 });
  await shared.request(async ({ session }) => {
    holdNext(1);
    const updated = Object.assign(session, { one: 1 }).update((draft: any) => draft.n++);
    await expect(updated).rejects.toMatchObject({ code: 'ERR_SESSION_STORE_TIMEOUT' });
    delete session.one;
    session.last = true;
  });
  await shared.settled();
  release(0);

  expect(await data(shared.id)).toEqual({ ...INITIAL, n: 1, last: true });
});

test('a save whose answer comes after that to a later one is not taken for another request’s', async () => {
  const { store, holdNext, release, data } = poolStore({ done: true });
  const sum = (base: any, mine: any, theirs: any) => mine + theirs - base;
  const shared = await share(store, { merge: sum });
  await shared.request(async ({ session }) => {
    holdNext(1);
    const first = Object.assign(session, { n: 1, one: 1 }).save();
    await new Promise(setImmediate); // it has been stored
    session.n++;
    delete session.one;
    await session.save();
    release(0);
    await first;
  });
  await shared.settled();

  expect(await data(shared.id)).toEqual({ ...INITIAL, n: 2 });
  expect(shared.events).toEqual([]);
});

test('overwriting: the answer to a save that comes after that to a later one undoes nothing', async () => {
  const { store, holdNext, release, data } = poolStore({ done: true });
  const shared = await share(store, { concurrency: 'overwrite' });
  await shared.request(async ({ session }) => {
    holdNext(1);
    const first = Object.assign(session, { one: 1 }).save();
    await new Promise(setImmediate); // it has been stored
    await Object.assign(session, { two: 2 }).save();
    release(0);
    await first;
    session.last = true;
  });
  await shared.settled();

  expect(await data(shared.id)).toEqual({ ...INITIAL, one: 1, two: 2, last: true });
});

test('a new session that is destroyed in the midst of its update is not stored', async () => {
  const { store, data } = poolStore();
  const shared = await share(store);
  const answer = await shared.strange(({ session, sessionID }) =>
    session
      .update((draft: any) => {
        draft.one = 1;
        return session.destroy();
      })
      .catch((error: any) => [error.code, sessionID]),
  );
  const [code, id] = bodyOf(answer) as [string, string];

  expect(code).toBe('ERR_SESSION_GONE');
  expect(await data(id)).toBeUndefined();
});

test('a save that is still under way when its session has been regenerated and saved does not bring it back', async () => {
  const { store, holdNext, release, data } = poolStore();
  const shared = await share(store, { concurrency: 'overwrite' });
  const answer = await shared.request(async (req) => {
    holdNext(1);
    const late = Object.assign(req.session, { late: 1 }).save();
    await req.session.regenerate();
    await req.session.save();
    release(0);
    await late;
    return req.sessionID;
  });
  await shared.settled();

  expect(await data(bodyOf(answer) as string)).toEqual({});
  expect(await data(shared.id)).toBeUndefined();
});

test('a save that is under way when its session is regenerated, with all data: they go along', async () => {
  const { store, holdNext, release, data } = poolStore();
  const shared = await share(store);
  const answer = await shared.request(async (req) => {
    holdNext(1);
    const saved = Object.assign(req.session, { one: 1 }).save();
    await req.session.regenerate({ keep: true });
    release(0);
    await saved;
    return req.sessionID;
  });
  await shared.settled();

  expect(await data(bodyOf(answer) as string)).toEqual({ ...INITIAL, one: 1 });
  expect(await data(shared.id)).toBeUndefined();
  expect(shared.events).toEqual([]);
});

test.each<[string, (session: any) => Promise<unknown>]>([
  ['save', (session) => Object.assign(session, { n: 1 }).save()],
  ['update', (session) => session.update((draft: any) => draft.n++)],
])('a reload in the midst of a %s: what that stores is not taken for removed', async (_name, act) => {
  const { store, holdNext, release, data } = poolStore();
  const shared = await share(store);
  await shared.request(async (req) => {
    holdNext(1);
    const done = act(req.session);
    await new Promise(setImmediate); // its write is under way
    await req.session.reload();
    release(0);
    await done;
    req.session.last = true;
  });
  await shared.settled();

  expect(await data(shared.id)).toEqual({ ...INITIAL, n: 1, last: true });
});

test.each<[string, (session: any) => Promise<unknown>]>([
  ['save', (session) => Object.assign(session, { n: 1 }).save()],
  ['update', (session) => session.update((draft: any) => draft.n++)],
])('a reload in the midst of a %s that meets another one’s change: both hold', async (_name, act) => {
  const { store, holdNext, release, data } = poolStore();
  const shared = await share(store);
  await shared.request(async (req) => {
    holdNext(1);
    const done = act(req.session);
    await new Promise(setImmediate); // its write is under way
    await shared.request(({ session }) => Object.assign(session, { theirs: 1 }));
    await req.session.reload();
    release(0);
    await done;
    req.session.last = true;
  });
  await shared.settled();

  expect(await data(shared.id)).toEqual({ ...INITIAL, n: 1, theirs: 1, last: true });
});

test('callback store: a reload that has failed, and is answered yet, says nothing of the session', async () => {
  const shared = await share('callback store', { storeTimeout: 50 });
  await shared.request(async (req) => {
    await shared.request(({ session }) => Object.assign(session, { a: 'theirs' }));
    const late = shared.traffic.hold('get');
    await expect(req.session.reload()).rejects.toMatchObject({ code: 'ERR_SESSION_STORE_TIMEOUT' });
    late.open();
    await shared.traffic.idle();
    await req.session.update((draft: any) => draft.n++);
  });
  await shared.settled();

  expect(shared.data()[shared.id]).toEqual({ ...INITIAL, a: 'theirs', n: 1 });
});

test('clear() while a save meets another one’s change leaves nothing', async () => {
  const { store, holdNext, release, data } = poolStore();
  const shared = await share(store);
  const slow = await shared.begin(async (req) => {
    holdNext(1);
    Object.assign(req.session, { secret: 1 }).save();
  });
  await shared.request(({ session }) => Object.assign(session, { theirs: 1 }));
  const answer = await slow.finish(async (req) => {
    req.session.clear();
    release(0);
    return req.sessionID;
  });
  await shared.settled();

  expect(await data(bodyOf(answer) as string)).toBeUndefined();
  expect(await data(shared.id)).toBeUndefined();
});

describe.each(['callback store', 'MemoryStore'] as const)('%s, overwriting: an update', (store) => {
  test.each<[string, (session: any) => Promise<unknown>]>([
    ['a save', (session) => Object.assign(session, { a: 'mine' }).save()],
    ['a reload', (session) => session.reload()],
    [
      'another one, and a save',
      (session) => session.update(() => {}).then(() => Object.assign(session, { a: 'mine' }).save()),
    ],
  ])('after %s leaves what another request has changed since', async (_name, act) => {
    const shared = await share(store, { concurrency: 'overwrite' });
    await shared.request(({ session }) => Object.assign(session, { b: 'before' }));
    const slow = await shared.begin(async (req) => {
      await shared.request(({ session }) => Object.assign(session, { a: 'at the same time' }));
      await act(req.session);
    });
    await shared.request(({ session }) => Object.assign(session, { a: 'later' }));
    await slow.finish((req) => req.session.update((draft: any) => draft.n++));
    await shared.settled();

    expect(shared.data()[shared.id]).toMatchObject({ a: 'later', n: 1 });
  });
});

test('an update whose answer comes after that to a save that knew nothing of it holds', async () => {
  const { store, hold, release, data } = poolStore();
  const shared = await share(store);
  await shared.request(async ({ session }) => {
    hold('before', 'after');
    const saved = Object.assign(session, { n: 4 }).save();
    const updated = session.update((draft: any) => draft.n++);
    await new Promise(setImmediate); // it has been stored
    release(0);
    await saved;
    release(1);
    await updated;
    expect(session.n).toBe(5);
  });
  await shared.settled();

  expect(await data(shared.id)).toEqual({ ...INITIAL, n: 5 });
});

test('an update takes its own time, and none of what the store may take', async () => {
  const shared = await share('text store', { storeTimeout: 50 });
  let runs = 0;
  const answer = await shared.request(({ session }) =>
    session.update(async (draft: any) => {
      if (++runs === 1) {
        await shared.request((other) => Object.assign(other.session, { n: 1 }));
        await new Promise((resume) => setTimeout(resume, 300)); // more than five times the timeout
      }
      return ++draft.n;
    }),
  );

  expect(bodyOf(answer)).toBe(2);
});

describe.each(['text store', 'MemoryStore'] as const)(
  '%s: regenerate({ keep }), and then at once',
  (store) => {
    test.each<[string, Record<string, number>, (session: any) => Promise<unknown>]>([
      ['two saves', {}, (session) => session.save()],
      ['a save and an update', { n: 1 }, (session) => session.update((draft: any) => draft.n++)],
    ])('%s: nothing of what was kept is lost', async (_name, changed, second) => {
      const shared = await share(store);
      await shared.request(async (req) => {
        await req.session.regenerate({ keep: true });
        const first = Object.assign(req.session, { one: 1 }).save();
        await Promise.all([first, second(Object.assign(req.session, { two: 2 }))]);
      });
      await shared.settled();

      expect(Object.values(shared.data())).toEqual([{ ...INITIAL, one: 1, two: 2, ...changed }]);
      expect(shared.events).toEqual([]);
    });
  },
);

test('an update of a new session whose save is under way', async () => {
  const { store, holdNext, release, data } = poolStore();
  const shared = await share(store);
  const answer = await shared.strange(async ({ session, sessionID }) => {
    holdNext(1);
    const saved = Object.assign(session, { user: 'ada' }).save();
    const updated = session.update((draft: any) => Object.assign(draft, { n: 1 }));
    await new Promise(setImmediate);
    release(0);
    await Promise.all([saved, updated]);
    return sessionID;
  });

  expect(await data(bodyOf(answer) as string)).toEqual({ user: 'ada', n: 1 });
  expect(answer.setCookie).toHaveLength(1);
});

test('an update of a new session whose save has failed', async () => {
  const shared = await share('text store');
  const answer = await shared.strange(async ({ session, sessionID }) => {
    shared.traffic.fail('set', new Error('away'));
    await expect(Object.assign(session, { user: 'ada' }).save()).rejects.toThrow('away');
    shared.traffic.repair('set');
    await session.update((draft: any) => Object.assign(draft, { n: 1 }));
    return sessionID;
  });

  expect(shared.data()[bodyOf(answer) as string]).toEqual({ user: 'ada', n: 1 });
  expect(answer.setCookie).toHaveLength(1);
});

test('a new session that is destroyed before its save is done is not stored', async () => {
  const { store, holdNext, release, data } = poolStore();
  const shared = await share(store);
  const answer = await shared.strange(async ({ session, sessionID }) => {
    holdNext(1);
    const saved = Object.assign(session, { user: 'ada' }).save();
    await session.destroy();
    release(0);
    await saved;
    return sessionID;
  });

  expect(await data(bodyOf(answer) as string)).toBeUndefined();
});

test('clear() while the session is being read again: it stays cleared', async () => {
  const shared = await share('text store');
  const answer = await shared.request(async ({ session }) => {
    const read = shared.traffic.hold('get');
    const reloaded = session.reload();
    await read.reached;
    session.clear();
    read.open();
    await expect(reloaded).rejects.toThrow('failed to load session');
  });
  await shared.settled();

  expect(shared.data()).toEqual({});
  expect(answer.setCookie).toEqual([expect.stringContaining('connect.sid=;')]);
});

test('clear() in the midst of an update of a new session: nothing is stored', async () => {
  const shared = await share('text store');
  await shared.strange(({ session }) =>
    Object.assign(session, { user: 'ada' })
      .update((draft: any) => {
        session.clear();
        draft.n = 1;
      })
      .catch((error: any) => error.code),
  );
  await shared.settled();

  expect(Object.keys(shared.data())).toEqual([shared.id]);
});

test('what is put in after clear() is stored, although a save was under way', async () => {
  const shared = await share('text store');
  await shared.request(async ({ session }) => {
    const write = shared.traffic.hold('set');
    const saved = Object.assign(session, { one: 1 }).save();
    await write.reached;
    session.clear();
    session.fresh = 1;
    write.open();
    await saved;
  });
  await shared.settled();

  expect(Object.values(shared.data())).toEqual([{ fresh: 1 }]);
});

describe('a reload of a session whose id another request has rotated', () => {
  const options = { rotateAfter: 1000, rotateGrace: 500, onReuse: 'revoke' } as const;

  test('sees it, and what is changed after that is not undone', async () => {
    const shared = await share('text store', options);
    const slow = await shared.begin();
    clock.advance(1100);
    await shared.request(({ session }) => Object.assign(session, { a: 'theirs' }));
    await slow.finish(async (req) => {
      await req.session.reload();
      expect(req.session.a).toBe('theirs');
      await shared.request(({ session }) => Object.assign(session, { a: 'later' }));
      req.session.mine = true;
    });
    await shared.settled();

    expect(shared.data()[shared.id]).toEqual({}); // the pointer
    expect(Object.values(shared.data())).toContainEqual({ ...INITIAL, a: 'later', mine: true });
  });

  test('is no reuse of the old id, however late', async () => {
    const shared = await share('text store', options);
    const slow = await shared.begin();
    clock.advance(1100);
    await shared.request(({ session }) => Object.assign(session, { a: 'theirs' }));
    clock.advance(900);
    await slow.finish((req) => req.session.reload());
    await shared.settled();

    expect(Object.values(shared.data())).toContainEqual({ ...INITIAL, a: 'theirs' });
  });
});

test('a key that is removed while an update gives it what it had been saved with stays removed', async () => {
  const shared = await share('text store');
  await shared.request(async ({ session }) => {
    const changing = gate();
    await Object.assign(session, { k: 5 }).save();
    session.k = 6;
    const updated = session.update(async (draft: any) => {
      await changing.opened;
      draft.k = 5;
    });
    await turn(); // the update has read the session
    delete session.k;
    changing.open();
    await updated;
  });
  await shared.settled();

  expect(shared.data()[shared.id]).toEqual(INITIAL);
});

test('a rotation whose answer was lost is no theft when its browser comes with the old id again', async () => {
  const { store, hold, release, data } = poolStore();
  const options = { rotateAfter: 1000, rotateGrace: 500, onReuse: 'revoke', storeTimeout: 50 } as const;
  const shared = await share(store, options);
  clock.advance(1100);
  hold(undefined, 'after'); // of the session under its new id, and of the pointer
  const answer = await shared.request(({ session }) => Object.assign(session, { k: 1 }));
  expect(answer.setCookie).toHaveLength(1);
  release(0);
  await shared.settled();

  const [id] = decodeURIComponent(answer.setCookie[0]!.slice('connect.sid=s%3A'.length)).split('.');
  expect(await data(id!)).toEqual({ ...INITIAL, k: 1 });
  expect(shared.events).toEqual([]);
});

describe('a second clear()', () => {
  const cleared = (session: any) => {
    session.clear();
    session.a = 'anew';
  };

  test('in the midst of an update: nothing is stored, and the cookie expires', async () => {
    const shared = await share('text store');
    const answer = await shared.request(async ({ session }) => {
      cleared(session);
      const updated = session.update((draft: any) => {
        draft.b = 'anew';
        session.clear();
      });
      await expect(updated).rejects.toMatchObject({ code: 'ERR_SESSION_GONE' });
    });
    await shared.settled();

    expect(shared.data()).toEqual({});
    expect(answer.setCookie).toEqual([expect.stringContaining('connect.sid=;')]);
  });

  test('while the session is being read again: it stays cleared', async () => {
    const shared = await share('text store');
    await shared.request(async ({ session }) => {
      cleared(session);
      await session.save();
      const read = shared.traffic.hold('get');
      const reloaded = session.reload();
      await read.reached;
      session.clear();
      read.open();
      await expect(reloaded).rejects.toThrow('failed to load session');
    });
    await shared.settled();

    expect(shared.data()).toEqual({});
  });
});

test('of writes without an answer only the latest are remembered', () => {
  const view = newView('id', undefined, undefined);
  const answer = Promise.resolve(true);
  const tried = Array.from({ length: 40 }, (_, n) =>
    beginTrying(view, { seen: undefined, mine: `${n}`, isChange: true }, answer),
  );
  expect(view.tried.map(({ mine }) => mine)).toEqual(tried.slice(-16).map(({ mine }) => mine));
  expect(endTrying(view, tried[39]!, false)).toBe(true);
  expect(view.tried).toHaveLength(15);
  expect(endTrying(view, tried[30]!, true)).toBe(true);
  expect(view.tried).toEqual(tried.slice(31, 39));
  expect(endTrying(view, tried[0]!, true)).toBe(false);
});

test('what a later save stores, answered after an earlier one, can be removed after it', async () => {
  const { store, hold, release, data } = poolStore();
  const shared = await share(store);
  await shared.request(async ({ session }) => {
    hold('after', undefined, 'after');
    const first = Object.assign(session, { one: 1 }).save();
    await new Promise(setImmediate);
    const second = Object.assign(session, { two: 2 }).save();
    for (let turns = 0; turns < 5; turns++) await turn(); // it has met the first, and been stored
    release(0);
    await first;
    release(1);
    await second;
    delete session.two;
  });
  await shared.settled();

  expect(await data(shared.id)).toEqual({ ...INITIAL, one: 1 });
});

test('two saves of a regenerated session, the first of which fails: the second one stores it', async () => {
  const { store, data } = poolStore();
  let fails = false;
  const set: session.SessionStore['set'] = async (...args) => {
    if (!fails) return store.set(...args);
    fails = false;
    throw new Error('not now');
  };
  const shared = await share({ ...store, set });
  const answer = await shared.request(async (req) => {
    await req.session.regenerate({ keep: true });
    fails = true;
    const saves = [req.session.save(), Object.assign(req.session, { one: 1 }).save()];
    const results = await Promise.allSettled(saves);
    return [req.sessionID, await data(req.sessionID), ...results.map(({ status }) => status)];
  });

  const [, stored, ...statuses] = bodyOf(answer) as unknown[];
  expect(statuses).toEqual(['rejected', 'fulfilled']);
  expect(stored).toEqual({ ...INITIAL, one: 1 });
});

test('an update that a save of its own request has overtaken holds, whichever is answered first', async () => {
  const { store, hold, release, data } = poolStore();
  const shared = await share(store);
  await shared.request(async ({ session }) => {
    hold('before', 'after', 'after');
    const saved = Object.assign(session, { n: 4 }).save();
    const updated = session.update((draft: any) => draft.n++);
    for (let turns = 0; turns < 5; turns++) await turn(); // it has been stored
    release(0);
    for (let turns = 0; turns < 5; turns++) await turn(); // the save has met it, and been stored again
    release(1);
    await updated;
    release(2);
    await saved;
    expect(session.n).toBe(5);
  });
  await shared.settled();

  expect(await data(shared.id)).toEqual({ ...INITIAL, n: 5 });
});

test('what is there only while a save meets another one’s change does not stay', async () => {
  const { store, holdNext, release, data } = poolStore();
  const shared = await share(store);
  await shared.request(async ({ session }) => {
    holdNext(1);
    const saved = Object.assign(session, { one: 1 }).save();
    await turn();
    await shared.request((other) => Object.assign(other.session, { theirs: 1 }));
    session.two = 2;
    release(0);
    await saved;
    delete session.two;
  });
  await shared.settled();

  expect(await data(shared.id)).toEqual({ ...INITIAL, one: 1, theirs: 1 });
});

test('a key that is put back to what it was saved with, while an update changes it, stays so', async () => {
  const shared = await share('text store');
  await shared.request(async ({ session }) => {
    const changing = gate();
    await Object.assign(session, { k: 5 }).save();
    session.k = 6;
    const updated = session.update(async (draft: any) => {
      await changing.opened;
      draft.k = 9;
    });
    await turn(); // the update has read the session
    session.k = 5;
    changing.open();
    await updated;
  });
  await shared.settled();

  expect(shared.data()[shared.id]).toEqual({ ...INITIAL, k: 5 });
});

test('what an update has put in can be removed after it', async () => {
  const shared = await share('text store');
  await shared.request(async ({ session }) => {
    await session.update((draft: any) => Object.assign(draft, { k: 1 }));
    delete session.k;
  });
  await shared.settled();

  expect(shared.data()[shared.id]).toEqual(INITIAL);
});

test('a session that is cleared in the midst of its update is not stored under its new id', async () => {
  const shared = await share('text store');
  const answer = await shared.request(({ session }) =>
    session
      .update((draft: any) => {
        draft.n++;
        session.clear();
      })
      .catch((error: any) => error.code),
  );
  await shared.settled();

  expect(bodyOf(answer)).toBe('ERR_SESSION_GONE');
  expect(shared.data()).toEqual({});
});

test('a rotation whose pointer could not be stored has not taken place', async () => {
  const { store, data } = poolStore();
  let writes = Number.NaN;
  const set: session.SessionStore['set'] = async (...args) => {
    if (++writes === 2) throw new Error('not now');
    return store.set(...args);
  };
  const shared = await share({ ...store, set }, { rotateAfter: 1000, saveFailure: 'error' });
  clock.advance(1100);
  writes = 0;
  const answer = await shared.request(({ session }) => Object.assign(session, { k: 1 }));
  await shared.settled();

  expect(answer).toMatchObject({ status: 500, setCookie: [] });
  expect(await data(shared.id)).toEqual(INITIAL);
});
