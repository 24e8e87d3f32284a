import { unsign } from '../../lib/cookies/signature.js';
import session from '../../lib/index.js';
import { isPointer, pointerOf, pointerText } from '../../lib/pointer.js';
import { ReferenceStore } from '../conformance/reference-store.js';
import { Browser } from '../support/http.js';
import { baseOptions } from '../support/lifecycle.js';
import { closeSites, type Handler, serve } from '../support/sites.js';
import { stopClock } from './clock.js';

const HOUR = 3_600_000;
const MOVED = { target: 'the-new-id', movedAt: 1_800_000_000_000 };
const COOKIE = { originalMaxAge: 1000, expires: '2030-01-01T00:00:00.000Z', path: '/' };

test('pointers that lead round in a circle let go of a session that is regenerated', async () => {
  const store = new session.MemoryStore();
  const sessions = session({ ...baseOptions, store, rotateAfter: HOUR, concurrency: 'merge' });
  const site = await serve('node:http', [
    sessions,
    async (req, res) => {
      if (req.url === '/begin') req.session.user = 'ada';
      else {
        const circle = pointerText(req.sessionID, JSON.parse(store.sessions[req.sessionID]!), {
          target: req.sessionID,
          movedAt: Date.now(),
        });
        await store.set(req.sessionID, circle, { expires: Date.now() + HOUR });
        await req.session.regenerate({ keep: true });
        req.session.fresh = true;
      }
      res.end();
    },
  ]);
  const browser = new Browser(site);
  await browser.get('/begin');
  await browser.get('/regenerate');

  const kept = Object.values(store.sessions).map((text) => JSON.parse(text));
  expect(kept.filter(({ fresh }) => fresh)).toEqual([{ cookie: expect.anything(), fresh: true }]);
});

describe('a pointer', () => {
  const text = pointerText('the-old-id', { cookie: COOKIE, user: 'ada' }, MOVED);

  test('leads from the old id to the new one, and from no other', () => {
    expect(pointerOf('the-old-id', text)).toEqual(MOVED);
    expect(pointerOf('another-id', text)).toBe(undefined);
    expect(pointerOf('', text)).toBe(undefined);
  });

  test('has neither id in it, no data, and the cookie as it was', () => {
    expect(text).not.toMatch(/the-new-id|the-old-id|ada/);
    const { cookie, ...rest } = JSON.parse(text);
    expect(rest).toEqual({});
    expect(cookie).toEqual({
      ...COOKIE,
      movedAt: MOVED.movedAt,
      movedUnder: expect.stringMatching(/^[\w-]{51}$/),
    });
  });

  test('is different each time', () => {
    expect(pointerText('the-old-id', { cookie: COOKIE }, MOVED)).not.toBe(
      pointerText('the-old-id', { cookie: COOKIE }, MOVED),
    );
  });

  test('leads nowhere when it was changed, however little', () => {
    const { cookie } = JSON.parse(text);
    for (let at = 0; at < cookie.movedUnder.length; at += 5) {
      const bytes = Buffer.from(cookie.movedUnder, 'base64url');
      bytes[Math.min(at, bytes.length - 1)]! ^= 1;
      const changed = { ...cookie, movedUnder: bytes.toString('base64url') };
      expect(pointerOf('the-old-id', JSON.stringify({ cookie: changed }))).toBe(undefined);
    }
  });

  test.each([
    ['', false],
    ['{', false],
    [JSON.stringify({ cookie: COOKIE, note: '"movedAt"' }), false],
    [JSON.stringify({ cookie: { ...COOKIE, movedAt: 1 } }), false],
    [JSON.stringify({ cookie: { ...COOKIE, movedUnder: 'AAAA' } }), false],
    [JSON.stringify({ cookie: { ...COOKIE, movedTo: null, movedAt: 1 } }), false],
    [JSON.stringify({ cookie: { ...COOKIE, movedTo: 'x', movedAt: '1' } }), false],
    [JSON.stringify({ cookie: { ...COOKIE, movedUnder: 7, movedAt: 1 } }), false],
    [JSON.stringify({ cookie: { ...COOKIE, movedUnder: '', movedAt: 1 } }), true],
    [JSON.stringify({ cookie: { ...COOKIE, movedUnder: 'AAAA', movedAt: 1 } }), true],
  ])('%s leads nowhere (a pointer all the same: %p)', (stored, itIs) => {
    expect(pointerOf('the-old-id', stored)).toBe(undefined);
    expect(isPointer(stored)).toBe(itIs);
  });

  test('of a former version is followed', () => {
    const former = JSON.stringify({ cookie: { ...COOKIE, movedTo: 'the-new-id', movedAt: MOVED.movedAt } });
    expect(pointerOf('the-old-id', former)).toEqual(MOVED);
    expect([isPointer(former), isPointer(text)]).toEqual([true, true]);
  });
});

const pages: Handler = (req, res) => {
  if (req.url === '/begin') req.session.user = 'ada';
  if (req.url === '/note') req.session.note = 1;
  const { cookie: _, ...data } = req.session;
  res.end(JSON.stringify({ id: req.session.id, data }));
};

describe('rotation', () => {
  let clock: ReturnType<typeof stopClock>;
  beforeEach(() => {
    clock = stopClock();
  });
  afterEach(async () => {
    jest.useRealTimers();
    await closeSites();
  });

  /** A user whose id has just been rotated. */
  async function rotated(wrap: (store: session.SessionStore) => session.SessionStore) {
    const inner = new ReferenceStore();
    const written: string[] = [];
    const set = inner.set.bind(inner);
    inner.set = (id, text, how) => {
      written.push(id, text, JSON.stringify(how));
      return set(id, text, how);
    };
    const options = { ...baseOptions, store: wrap(inner), rotateAfter: HOUR, rotateGrace: 1000 };
    const site = await serve('node:http', [session(options), pages]);
    const browser = new Browser(site);
    const begun = JSON.parse((await browser.get('/begin')).body);
    const cookie = browser.cookieHeader('/');
    clock.pass(HOUR);
    await browser.get('/note');
    const value = decodeURIComponent(browser.cookie('connect.sid') as string);
    const target = unsign(value.slice(2), ['keyboard cat'])!.value;
    expect(target).not.toBe(begun.id);
    const ask = async (path: string, headers = {}) =>
      JSON.parse((await new Browser(site).get(path, { headers })).body);
    return { inner, written, old: begun.id as string, target, ask, cookie };
  }

  test.each<[string, (store: session.SessionStore) => session.SessionStore]>([
    ['hashIds', (store) => session.hashIds(store)],
    ['hashIds without plain ids', (store) => session.hashIds(store, { plain: false })],
  ])(
    '%s: nothing that was ever stored has an id in it, and the old id still leads to the session',
    async (_, wrap) => {
      const { written, old, target, ask, cookie } = await rotated(wrap);
      expect(written.join('\n')).not.toContain(target);
      expect(written.join('\n')).not.toContain(old);
      expect(written.join('\n')).toContain('movedUnder');

      expect(await ask('/look', { cookie })).toEqual({ id: target, data: { user: 'ada', note: 1 } });
      clock.pass(1001);
      expect((await ask('/look', { cookie })).data).toEqual({});
    },
  );

  test('without hashIds, the new id stands nowhere but over its own record', async () => {
    const { inner, old, target, ask, cookie } = await rotated((store) => store);
    expect([...inner.rows.keys()].sort()).toEqual([old, target].sort());
    for (const row of inner.rows.values()) expect(JSON.stringify(row)).not.toContain(target);

    expect(await ask('/look', { cookie })).toEqual({ id: target, data: { user: 'ada', note: 1 } });
  });

  test('a pointer that a former version left is followed', async () => {
    const { inner, old, target, ask, cookie } = await rotated((store) => store);
    const former = { cookie: { ...COOKIE, movedTo: target, movedAt: Date.now() } };
    await inner.set(old, JSON.stringify(former), { expires: Date.now() + HOUR });

    expect(await ask('/look', { cookie })).toEqual({ id: target, data: { user: 'ada', note: 1 } });
  });
});
