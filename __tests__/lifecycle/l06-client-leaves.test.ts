import { gate } from '../support/http.js';
import { BEGUN, begin, combine, type Fixture, start as startSite } from '../support/lifecycle.js';
import { closeSites, type Handler, HOSTS } from '../support/sites.js';
import { GATED_STORES, STORES } from '../support/test-stores.js';

afterEach(closeSites);

/** Resolves when the server has seen that the client is gone. */
const gone = (res: any): Promise<void> => new Promise((resolve) => res.once('close', resolve));

describe.each(combine(HOSTS, STORES))('%s, %s', (host, store) => {
  const start = (handler: Handler): Promise<Fixture> => startSite({ host, store, after: [handler] });

  test('L6: the client leaves and the handler never ends: the change is stored', async () => {
    const changed = gate();
    const fixture = await start((req) => {
      req.session.changed = true;
      changed.open();
    });
    await begin(fixture);
    const exchange = fixture.browser.start('/');
    await changed.opened;
    expect(fixture.onlyData()).toEqual({ user: 'ada' });
    exchange.leave();
    await fixture.settled();
    expect(fixture.onlyData()).toEqual({ user: 'ada', changed: true });
  });

  test('L6: so is a new session', async () => {
    const changed = gate();
    const fixture = await start((req) => {
      req.session.changed = true;
      changed.open();
    });
    const exchange = fixture.browser.start('/');
    await changed.opened;
    exchange.leave();
    await fixture.settled();
    expect(fixture.onlyData()).toEqual({ changed: true });
  });

  test('L6: the client leaves while the handler streams', async () => {
    const fixture = await start((req, res) => {
      res.write('one');
      req.session.changed = true;
    });
    await begin(fixture);
    const exchange = fixture.browser.start('/');
    await exchange.head;
    exchange.leave();
    await fixture.settled();
    expect(fixture.onlyData()).toEqual({ user: 'ada', changed: true });
  });

  test('L6: the client leaves, then the handler changes the session and ends', async () => {
    const begun = gate();
    const ended = gate();
    const fixture = await start(async (req, res) => {
      begun.open();
      await gone(res);
      req.session.changed = 'after the client left';
      res.end('text');
      ended.open();
    });
    await begin(fixture);
    const exchange = fixture.browser.start('/');
    await begun.opened;
    exchange.leave();
    await ended.opened;
    await fixture.settled();
    expect(fixture.onlyData()).toEqual({ user: 'ada', changed: 'after the client left' });
    expect(fixture.site.errors).toEqual([]);
  });

  test('L6: the client leaves between two changes, long before the end', async () => {
    const begun = gate();
    const more = gate();
    const ended = gate();
    const fixture = await start(async (req, res) => {
      req.session.before = true;
      begun.open();
      await more.opened;
      req.session.after = true;
      res.end('text');
      ended.open();
    });
    await begin(fixture);
    const exchange = fixture.browser.start('/');
    await begun.opened;
    exchange.leave();
    await fixture.settled();
    expect(fixture.onlyData()).toEqual({ user: 'ada', before: true });
    more.open();
    await ended.opened;
    await fixture.settled();
    expect(fixture.onlyData()).toEqual({ user: 'ada', before: true, after: true });
  });

  test('L6: what was saved before the client left is not written again', async () => {
    const saved = gate();
    const fixture = await start(async (req) => {
      req.session.changed = true;
      await req.session.save();
      fixture.traffic.calls.length = 0;
      saved.open();
    });
    await begin(fixture);
    const exchange = fixture.browser.start('/');
    await saved.opened;
    exchange.leave();
    await fixture.settled();
    expect(fixture.traffic.calls).toEqual([]);
    expect(fixture.onlyData()).toEqual({ user: 'ada', changed: true });
  });

  test('L6: a session destroyed before the client left stays so', async () => {
    const destroyed = gate();
    const fixture = await start(async (req) => {
      await req.session.destroy();
      destroyed.open();
    });
    await begin(fixture);
    const exchange = fixture.browser.start('/');
    await destroyed.opened;
    exchange.leave();
    await fixture.settled();
    expect(fixture.onlyData()).toBeUndefined();
  });

  const unset = (req: any) => {
    req.session = null;
  };
  const update = (req: any) => req.session.update((data: any) => (data.n = 1));
  test.each<[string, ...((req: any) => unknown)[]]>([
    ['regenerate()', (req) => req.session.regenerate()],
    ['regenerate({ keep })', (req) => req.session.regenerate({ keep: true })],
    ['regenerate() and update()', (req) => req.session.regenerate(), update],
    ['regenerate() and destroy()', (req) => req.session.regenerate(), (req) => req.session.destroy()],
    ['regenerate() and the end of the session', (req) => req.session.regenerate(), unset],
    ['regenerate(), update() and the end of the session', (req) => req.session.regenerate(), update, unset],
  ])('L6: the client leaves after %s: the session from before ends', async (name, ...acts) => {
    const done = gate();
    const app: Handler = async (req) => {
      for (const act of acts) await act(req);
      done.open();
    };
    const fixture = await startSite({ host, store, options: { unset: 'destroy' }, after: [app] });
    await begin(fixture);
    const [before] = Object.keys(fixture.data());
    const exchange = fixture.browser.start('/');
    await done.opened;
    exchange.leave();
    await fixture.settled();
    if (/destroy|end/.test(name)) expect(fixture.data()).toEqual({});
    else expect(Object.keys(fixture.data())).not.toContain(before);
  });

  test('L6: the client leaves after a login by regenerate(): the new session is stored in place of the old one', async () => {
    const done = gate();
    const fixture = await start(async (req) => {
      await req.session.regenerate();
      req.session.user = 'bea';
      done.open();
    });
    await begin(fixture);
    const exchange = fixture.browser.start('/');
    await done.opened;
    exchange.leave();
    await fixture.settled();
    expect(fixture.onlyData()).toEqual({ user: 'bea' });
  });

  test('L6: what can not be serialized, also after clear(), is reported', async () => {
    const clear = (session: any) => session.clear();
    for (const act of [() => {}, clear]) {
      const changed = gate();
      const fixture = await start((req) => {
        act(req.session);
        req.session.big = 1n;
        changed.open();
      });
      const told: unknown[] = [];
      fixture.sessions.on('error', ({ error }) => told.push((error as Error).message));
      await begin(fixture);
      const exchange = fixture.browser.start('/');
      await changed.opened;
      exchange.leave();
      await fixture.settled();
      expect(told).toEqual(['Do not know how to serialize a BigInt']);
      expect(fixture.site.errors).toEqual([]);
      expect(fixture.onlyData()).toEqual(act === clear ? undefined : BEGUN);
    }
  });

  test('L6: nothing changed: nothing is written', async () => {
    const begun = gate();
    const fixture = await start(() => begun.open());
    await begin(fixture);
    const exchange = fixture.browser.start('/');
    await begun.opened;
    exchange.leave();
    await fixture.settled();
    expect(fixture.traffic.count('set')).toBe(0);
    expect(fixture.onlyData()).toEqual({ user: 'ada' });
  });
});

describe.each(combine(HOSTS, GATED_STORES))('%s, %s', (host, store) => {
  const start = (handler: Handler): Promise<Fixture> => startSite({ host, store, after: [handler] });

  test('L6: the client leaves during the held save, which is done once', async () => {
    const fixture = await start((req, res) => {
      req.session.changed = true;
      res.end('text');
    });
    await begin(fixture);
    const held = fixture.traffic.hold('set');
    const exchange = fixture.browser.start('/');
    await held.reached;
    exchange.leave();
    await fixture.site.settled();
    held.open();
    await fixture.settled();
    expect(fixture.onlyData()).toEqual({ user: 'ada', changed: true });
    expect(fixture.traffic.calls).toEqual(['get', 'set']);
    expect(fixture.site.errors).toEqual([]);
  });

  test('L6: what is changed once the client has left, during the held save, is stored after it', async () => {
    const fixture = await start((req, res) => {
      res.once('close', () => {
        req.session.changed = 'at close';
      });
      req.session.changed = true;
      res.end('text');
    });
    await begin(fixture);
    const held = fixture.traffic.hold('set');
    const exchange = fixture.browser.start('/');
    await held.reached;
    exchange.leave();
    await fixture.site.settled();
    expect(fixture.traffic.calls).toEqual(['get', 'set']);
    held.open();
    await fixture.settled();
    expect(fixture.onlyData()).toEqual({ user: 'ada', changed: 'at close' });
    expect(fixture.traffic.calls).toEqual(['get', 'set', 'set']);
  });

  test('L6: the client leaves while the session is loaded', async () => {
    const ended = gate();
    const fixture = await start((req, res) => {
      req.session.changed = true;
      res.end('text');
      ended.open();
    });
    await begin(fixture);
    const held = fixture.traffic.hold('get');
    const exchange = fixture.browser.start('/');
    await held.reached;
    exchange.leave();
    await fixture.site.settled();
    held.open();
    await ended.opened;
    await fixture.settled();
    expect(fixture.onlyData()).toEqual({ user: 'ada', changed: true });
  });
});
