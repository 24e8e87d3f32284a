import session from '../../lib/index.js';
import { closeSites } from '../support/sites.js';
import { INITIAL, type SharedSession, type SharedSessionOptions, share } from './shared-session.js';

const expressSession = require('express-session'); // it brings no types

afterEach(closeSites);

/** Two requests overlap; what is stored afterwards, and how the store was used. */
async function overlap(options: SharedSessionOptions, act: (shared: SharedSession) => Promise<unknown>) {
  const shared = await share('callback store', { unset: 'destroy', ...options });
  await act(shared);
  await shared.settled();
  return { stored: Object.values(shared.data()), calls: shared.traffic.calls };
}

const scripts: Record<string, (shared: SharedSession) => Promise<unknown>> = {
  async 'changes of different keys'(shared) {
    const slow = await shared.begin();
    await shared.request(({ session }) => Object.assign(session, { a: 'one' }));
    await slow.finish(({ session }) => Object.assign(session, { b: 'two' }));
  },
  async 'a change after destroy()'(shared) {
    const slow = await shared.begin();
    await shared.request((req) => new Promise((resolve) => req.session.destroy(resolve)));
    await slow.finish(({ session }) => Object.assign(session, { a: 'late' }));
  },
  async 'a read after destroy()'(shared) {
    const slow = await shared.begin();
    await shared.request((req) => new Promise((resolve) => req.session.destroy(resolve)));
    await slow.finish(() => 'read');
  },
  async 'a change after regenerate()'(shared) {
    const slow = await shared.begin();
    await shared.request((req) => new Promise((resolve) => req.session.regenerate(resolve)));
    await slow.finish(({ session }) => Object.assign(session, { a: 'late' }));
  },
  async 'save() in between'(shared) {
    const slow = await shared.begin();
    await shared.request(async (req) => {
      req.session.a = 'one';
      await new Promise((resolve) => req.session.save(resolve));
      req.session.b = 'one';
    });
    await slow.finish(({ session }) => Object.assign(session, { b: 'two' }));
  },
  async 'unset after a change'(shared) {
    const slow = await shared.begin();
    await shared.request(({ session }) => Object.assign(session, { a: 'one' }));
    await slow.finish((req) => {
      req.session = null;
    });
  },
};

describe('by default a callback store is used as express-session uses it', () => {
  describe.each(Object.entries(scripts))('%s', (_name, script) => {
    test.each([
      { resave: false, rolling: false },
      { resave: true, rolling: false },
      { resave: false, rolling: true },
    ])('%o', async (options) => {
      const ours = await overlap(options, script);
      const theirs = await overlap({ ...options, package: expressSession }, script);
      expect(ours).toEqual(theirs);
    });
  });

  test('so the later change of two wins, and a late one brings a session back', async () => {
    expect((await overlap({}, scripts['changes of different keys']!)).stored).toEqual([
      { ...INITIAL, b: 'two' },
    ]);
    expect((await overlap({}, scripts['a change after destroy()']!)).stored).toEqual([
      { ...INITIAL, a: 'late' },
    ]);
  });
});

describe("concurrency: 'merge'", () => {
  const merging = { concurrency: 'merge' } as const;

  test('both changes are kept, and what is gone stays gone', async () => {
    expect((await overlap(merging, scripts['changes of different keys']!)).stored).toEqual([
      { ...INITIAL, a: 'one', b: 'two' },
    ]);
    expect((await overlap(merging, scripts['a change after destroy()']!)).stored).toEqual([]);
    expect((await overlap(merging, scripts['a read after destroy()']!)).stored).toEqual([]);
  });

  test('reads again before it writes', async () => {
    const shared = await share('callback store', merging);
    await shared.request(({ session }) => Object.assign(session, { a: 'one' }));
    await shared.settled();

    expect(shared.traffic.calls).toEqual(['get', 'get', 'set']);
  });

  test('recommended merges, with a callback store too', async () => {
    const { stored } = await overlap(session.recommended, scripts['changes of different keys']!);
    expect(stored).toEqual([{ ...INITIAL, a: 'one', b: 'two' }]);
  });

  test('requests of two session() over one store don’t get in between', async () => {
    const shared = await share('callback store', merging);
    const held = shared.traffic.hold('set');
    const first = shared.request(({ session }) => Object.assign(session, { a: 'one' }));
    await held.reached;
    const second = shared.request(({ session }) => Object.assign(session, { b: 'two' }));
    held.open();
    await Promise.all([first, second]);
    await shared.settled();

    expect(shared.data()[shared.id]).toEqual({ ...INITIAL, a: 'one', b: 'two' });
  });

  test('other sessions don’t wait for one that is being written', async () => {
    const shared = await share('callback store', merging);
    const held = shared.traffic.hold('set');
    const first = shared.request(({ session }) => Object.assign(session, { a: 'one' }));
    await held.reached;
    const other = await shared.strange(({ session }) => Object.assign(session, { b: 'two' }));
    expect(other.status).toBe(200);
    expect(Object.values(shared.data())).toEqual([INITIAL, { b: 'two' }]);
    held.open();
    await first;
  });

  describe('a store that answers with stale data after a destroy', () => {
    /** Reads go to a replica that lags behind. */
    class LaggingStore extends session.Store {
      readonly primary = new Map<string, string>();
      readonly replica = new Map<string, string>();

      get(id: string, done: (error: unknown, data?: any) => void): void {
        const text = this.replica.get(id);
        setImmediate(done, null, text && JSON.parse(text));
      }
      set(id: string, data: object, done: () => void): void {
        this.primary.set(id, JSON.stringify(data));
        this.replica.set(id, JSON.stringify(data));
        setImmediate(done);
      }
      destroy(id: string, done: () => void): void {
        this.primary.delete(id);
        setImmediate(done);
      }
    }

    test.each([
      ['destroy()', ({ session }: any) => session.destroy()],
      ['clear()', ({ session }: any) => session.clear()],
      ['regenerate()', ({ session }: any) => session.regenerate()],
    ])('does not get the session back from this process: %s', async (_name, end) => {
      const store = new LaggingStore();
      const shared = await share(store, merging);
      const slow = await shared.begin();
      await shared.request(end);
      await slow.finish(({ session }) => Object.assign(session, { a: 'late' }));
      await shared.settled();

      expect(store.primary.has(shared.id)).toBe(false);
      const answer = await shared.request(({ session }) => session.b ?? 'none');
      expect(answer.body).toBe('"none"');
    });
  });
});

describe("a store made from express-session's own Store", () => {
  class Store extends (expressSession.Store as new () => object) {
    readonly records = new Map<string, string>();
    get(id: string, done: (error: unknown, data?: any) => void): void {
      const text = this.records.get(id);
      setImmediate(done, null, text && JSON.parse(text));
    }
    set(id: string, data: object, done: () => void = () => {}): void {
      this.records.set(id, JSON.stringify(data));
      setImmediate(done);
    }
    destroy(id: string, done: () => void = () => {}): void {
      this.records.delete(id);
      setImmediate(done);
    }
  }

  test.each(['merge', 'overwrite'] as const)('its sessions have our methods: %s', async (concurrency) => {
    const shared = await share(new Store() as never, { concurrency });
    const answer = await shared.request(async ({ session }) => [
      await session.update((data: any) => ++data.n),
      await session.take('a'),
      session.cookie instanceof (await import('../../lib/cookies/cookie.js')).Cookie,
      session instanceof (await import('../../lib/session.js')).Session,
    ]);

    expect(JSON.parse(answer.body)).toEqual([1, 'initial', true, true]);
  });

  test('merging, an explicit destroy() is final', async () => {
    const store = new Store();
    const shared = await share(store as never, { concurrency: 'merge' });
    const slow = await shared.begin();
    await shared.request(({ session }) => session.destroy());
    await slow.finish(({ session }) => Object.assign(session, { a: 'late' }));
    await shared.settled();

    expect([...store.records]).toEqual([]);
  });
});
