import { once } from 'node:events';
import { createServer } from 'node:http';
import express from 'express';
import { WebSocketServer } from 'ws';
import session from '../../lib/index.js';
import {
  appWith,
  CountingStore,
  closeAll,
  closeLater,
  listen,
  openSocket,
  portOf,
  SECRET,
  startSite,
} from './support.js';

afterEach(closeAll);

/** The id that a Set-Cookie line or Cookie header carries. */
function idIn(cookie: string): string {
  return decodeURIComponent(/connect\.sid=s%3A([^.]+)\./.exec(cookie)![1]!);
}

describe('a socket has the session of its cookie at the connection event', () => {
  test('with a server that is attached to an HTTP server', async () => {
    const site = await startSite();
    await site.inRequest((req) => Object.assign(req.session, { user: 'ada' }));
    await site.open();

    expect(site.opened[0]!.req.session.user).toBe('ada');
    expect(site.opened[0]!.req.sessionID).toBe(idIn(site.cookie()));
  });

  test("with Express's app.listen", async () => {
    const store = new CountingStore();
    const sessions = session({ ...session.recommended, secret: SECRET, store });
    const { app, browserOf } = appWith(sessions);
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closeLater(() => server.close());
    const wss = new WebSocketServer({ server });
    sessions.websocket(wss);
    const user = browserOf(server);
    await user.inRequest((req) => Object.assign(req.session, { user: 'ada' }));
    const connected = once(wss, 'connection');
    await openSocket(portOf(server), { cookie: user.cookie() });

    expect((await connected)[1].session.user).toBe('ada');
  });

  test('with noServer and an upgrade handler', async () => {
    const sessions = session({ ...session.recommended, secret: SECRET, store: new CountingStore() });
    const { app, browserOf } = appWith(sessions);
    const server = await listen(app);
    const wss = new WebSocketServer({ noServer: true });
    sessions.websocket(wss);
    const users: string[] = [];
    server.on('upgrade', (req, socket, head) => {
      wss.handleUpgrade(req, socket, head, (_client, request: any) => users.push(request.session.user));
    });
    const user = browserOf(server);
    await user.inRequest((req) => Object.assign(req.session, { user: 'ada' }));
    await openSocket(portOf(server), { cookie: user.cookie() });

    expect(users).toEqual(['ada']);
  });

  test('with an upgrade handler that asks for the session itself, as with express-session', async () => {
    const store = new CountingStore();
    const sessions = session({ ...session.recommended, secret: SECRET, store });
    const { app, browserOf } = appWith(sessions);
    const server = await listen(app);
    const wss = new WebSocketServer({ noServer: true });
    sessions.websocket(wss);
    const users: string[] = [];
    server.on('upgrade', (req: any, socket, head) => {
      sessions(req, {}, () => {
        if (req.session.user) wss.handleUpgrade(req, socket, head, () => users.push(req.session.user));
        else socket.destroy();
      });
    });
    const user = browserOf(server);
    await user.inRequest((req) => Object.assign(req.session, { user: 'ada' }));
    store.calls.length = 0;
    const client = await openSocket(portOf(server), { cookie: user.cookie() });
    expect(users).toEqual(['ada']);
    expect(store.count('get')).toBe(1);
    await user.inRequest((req) => req.session.destroy());

    expect(await client.closed).toEqual([1008, 'session ended']);
  });
});

describe('a new session', () => {
  test.each([
    ['a forged signature', (cookie: string) => `${cookie}x`],
    ['an id that is not stored', (cookie: string) => cookie],
    ['no cookie', () => ''],
  ])('is what %s gets, under an id of ours and without a record', async (_, change) => {
    const site = await startSite();
    await site.inRequest((req) => Object.assign(req.session, { user: 'ada' }));
    const known = idIn(site.cookie());
    const cookie = change(site.cookie());
    site.store.records.clear();
    const client = await site.open({ cookie });

    const { req } = site.opened[0]!;
    expect(Object.keys(req.session)).toEqual(['cookie']);
    expect(req.sessionID).not.toBe(known);
    expect(client.setCookie).toEqual([]);
    expect(site.store.records.size).toBe(0);
  });

  test('may have an id that is no text', async () => {
    const site = await startSite({ options: { genid: () => 5 as never } });
    await site.open();

    expect(site.opened[0]!.req.sessionID).toBe(5);
  });

  test('that is changed before the answer is stored, and its cookie goes out in the 101', async () => {
    const site = await startSite({
      sockets: {
        async upgrade(req) {
          await null;
          req.session.device = 'phone';
        },
      },
    });
    const client = await site.open();

    expect(site.store.data()).toEqual([{ device: 'phone' }]);
    expect(client.setCookie).toHaveLength(1);
    expect(client.setCookie[0]).toMatch(/^connect\.sid=s%3A.*; Path=\/; HttpOnly; SameSite=Lax$/);
    expect([...site.store.records.keys()]).toEqual([idIn(client.setCookie[0]!)]);
  });

  test('an existing session that is changed before the answer is stored when the client hears it', async () => {
    const site = await startSite({
      sockets: { upgrade: (req) => Object.assign(req.session, { device: 'phone' }) },
    });
    await site.inRequest((req) => Object.assign(req.session, { user: 'ada' }));
    await site.open();

    expect(site.store.data()).toEqual([{ user: 'ada', device: 'phone' }]);
  });

  test('may be regenerated before the answer: the new id goes out', async () => {
    const site = await startSite({
      sockets: {
        async upgrade(req) {
          await req.session.regenerate();
          req.session.user = 'by token';
        },
      },
    });
    await site.inRequest((req) => Object.assign(req.session, { user: 'ada' }));
    const before = idIn(site.cookie());
    const client = await site.open();

    expect(idIn(client.setCookie[0]!)).not.toBe(before);
    expect(site.store.data()).toEqual([{ user: 'by token' }]);
  });
});

describe('Origin', () => {
  const allow = (origin: string | undefined) => origin === 'https://other.example';

  test.each([
    ['none', undefined, undefined],
    ['the same host', 'same', undefined],
    ['one of the list', 'https://app.example.com', ['https://app.example.com']],
    ['the same host beside a list', 'same', ['https://app.example.com']],
    ['one that a function allows', 'https://other.example', allow],
    ['one that a function allows later', 'https://other.example', async (origin?: string) => allow(origin)],
  ])('%s may connect', async (_, origin, origins) => {
    const site = await startSite({ sockets: { origins } });
    const own = `http://127.0.0.1:${portOf(site.server)}`;
    await site.open(origin === undefined ? {} : { origin: origin === 'same' ? own : origin });

    expect(site.opened).toHaveLength(1);
  });

  test.each([
    ['a foreign one', 'https://evil.example', undefined],
    ['the same host on another port', 'http://127.0.0.1:1', undefined],
    ['a sandboxed page', 'null', undefined],
    ['one that is no URL', 'evil', undefined],
    ['one that begins like one of the list', 'https://app.example.com.evil', ['https://app.example.com']],
    ['one that a function refuses', 'http://127.0.0.1', allow],
    ['one that a function refuses later', 'https://evil.example', async (origin?: string) => allow(origin)],
    ['one on which a function fails', 'https://other.example', () => Promise.reject(new Error('no'))],
  ])('%s is refused with 403, and the store is not asked', async (_, origin, origins) => {
    const upgrade = jest.fn();
    const site = await startSite({ sockets: { origins, upgrade } });
    const errors: unknown[] = [];
    site.sessions.on('error', ({ error }) => errors.push(error));
    await site.inRequest((req) => Object.assign(req.session, { user: 'ada' }));
    const texts = JSON.stringify([...site.store.records]);
    site.store.calls.length = 0;

    await expect(site.open({ origin })).rejects.toThrow(/^403$/);
    expect(site.store.calls).toEqual([]);
    expect(JSON.stringify([...site.store.records])).toBe(texts);
    expect([site.opened.length, upgrade.mock.calls.length]).toEqual([0, 0]);
    expect(errors).toEqual(
      typeof origins === 'function' && String(origins).includes('reject') ? [new Error('no')] : [],
    );
  });

  test.each([
    ['https://app.example.com', 'app.example.com:443'],
    ['https://app.example.com', 'APP.example.com:443'],
    ['https://[::1]', '[::1]:443'],
    ['http://app.example.com', 'app.example.com:80'],
  ])('%s is the same host as %s, as some proxies write it', async (origin, host) => {
    const site = await startSite();
    await site.open({ origin, host });

    expect(site.opened).toHaveLength(1);
  });

  test.each([
    ['https://app.example.com', 'app.example.com:80'],
    ['https://app.example.com', 'app.example.com:8443'],
    ['http://app.example.com', 'app.example.com:443'],
    ['https://app.example.com:8443', 'app.example.com'],
    ['https://app.example.com:8443', 'app.example.com:443'],
    ['https://app.example.com:8443', 'app.example.com:8443:443'],
    ['https://app.example.com', 'app.example.com:443:443'],
    ['https://app.example.com', 'app.example.com:443@evil.example'],
    ['https://app.example.com', 'evil.example@app.example.com:443'],
    ['https://app.example.com', 'app.example.com:'],
    ['https://app.example.com', 'app.example.com.:443'],
    ['foo://app.example.com', 'app.example.com:443'],
    ['foo://app.example.com', 'app.example.com:undefined'],
  ])('%s is not the same host as %s', async (origin, host) => {
    const site = await startSite();

    await expect(site.open({ origin, host })).rejects.toThrow(/^403$/);
    expect(site.store.calls).toEqual([]);
  });

  test('a handshake that goes through the middleware alone is checked, too', async () => {
    const store = new CountingStore();
    const sessions = session({ ...session.recommended, secret: SECRET, store });
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    closeLater(() => server.close());
    const next = jest.fn();
    server.on('upgrade', (req) => sessions(req, {}, next));

    await expect(openSocket(portOf(server), { origin: 'https://evil.example' })).rejects.toThrow(/^403$/);
    expect([store.calls, next.mock.calls]).toEqual([[], []]);
  });
});

describe('options that could never work', () => {
  const sessions = session({ ...session.recommended, secret: SECRET });
  const wss = new WebSocketServer({ noServer: true });

  test.each<[string, unknown, string]>([
    ['origins', 'https://a.example', 'origins option must be an array of origins'],
    ['origins', 'https://a.example', `(did you mean ["https://a.example"]?); got "https://a.example"`],
    ['origins', ['a.example:8443'], `(did you mean ["https://a.example:8443"]?); got "a.example:8443"`],
    ['origins', ['https://a.example/'], `(did you mean ["https://a.example"]?); got "https://a.example/"`],
    ['origins', ['a b'], '(origin, req) => boolean; got "a b"'],
    ['origins', ['null'], '(origin, req) => boolean; got "null"'],
    ['origins', ['*'], 'got "*"'],
    ['origins', [/a/], 'got an object (RegExp)'],
    [
      'checkInterval',
      0,
      'checkInterval option must be a positive number of milliseconds, 24 days at most; got 0 (number)',
    ],
    ['checkInterval', 2 ** 31, 'got 2147483648 (number)'],
    ['checkInterval', '30s', 'got "30s"'],
    ['checkInterval', '30000', 'got "30000"'],
    ['checkInterval', Number.NaN, 'got NaN (number)'],
    ['onRegenerate', 'stay', 'onRegenerate option must be one of "follow", "close"; got "stay"'],
    ['upgrade', {}, 'upgrade option must be a function (req) => void; got an object (Object)'],
    ['checkInterwal', 5, 'websocket() has no option checkInterwal; did you mean checkInterval?'],
  ])('%s: %p', (name, value, message) => {
    expect(() => sessions.websocket(wss, { [name]: value })).toThrow(message);
  });

  test('servers of another kind', () => {
    expect(() => sessions.websocket({} as never)).toThrow(
      'websocket() needs a WebSocketServer of the package ws; got an object (Object)',
    );
    expect(() => sessions.websocket(undefined as never)).toThrow('got undefined');
    expect(() => sessions.websocket(wss, null as never)).toThrow(
      'websocket() needs an object of options ({ origins, checkInterval, onRegenerate, upgrade }); got null',
    );
    expect(() => sessions.socketio({} as never)).toThrow(
      'socketio() needs a Socket.IO server that is attached to an HTTP server; got an object (Object)',
    );
    expect(() => sessions.websocket({ engine: {} } as never)).toThrow(/; did you mean socketio\(\)\?$/);
    expect(() => sessions.socketio(wss as never)).toThrow(/; did you mean websocket\(\)\?$/);
  });
});

describe('when the store is in trouble', () => {
  test('failing: 503, and no word of why', async () => {
    const site = await startSite();
    await site.inRequest((req) => Object.assign(req.session, { user: 'ada' }));
    const told: unknown[] = [];
    site.sessions.on('error', ({ error }) => told.push(error));
    site.store.failure = new Error('password of the database: 1234');

    await expect(site.open()).rejects.toThrow(/^503$/);
    expect(told).toEqual([site.store.failure]);
    expect(site.opened).toEqual([]);
  });

  test('hanging: 503 after storeTimeout', async () => {
    const site = await startSite({ options: { storeTimeout: 50 } });
    await site.inRequest((req) => Object.assign(req.session, { user: 'ada' }));
    const codes: unknown[] = [];
    site.sessions.on('error', ({ error }) => codes.push((error as { code: string }).code));
    site.store.hangs = true;

    await expect(site.open()).rejects.toThrow(/^503$/);
    expect(codes).toEqual(['ERR_SESSION_STORE_TIMEOUT']);
  });

  test('failing to store what the upgrade changed: 503, with saveFailure: "error"', async () => {
    const store = new CountingStore();
    const site = await startSite({
      store,
      sockets: {
        upgrade(req) {
          req.session.device = 'phone';
          store.failure = new Error('disk full');
        },
      },
    });

    await expect(site.open()).rejects.toThrow(/^503$/);
    expect(store.records.size).toBe(0);
  });

  test('the same with saveFailure: "pass": the socket opens and the error is reported', async () => {
    const store = new CountingStore();
    const site = await startSite({
      store,
      options: { saveFailure: 'pass' },
      sockets: {
        upgrade(req) {
          req.session.device = 'phone';
          store.failure = new Error('disk full');
        },
      },
    });
    const told: unknown[] = [];
    site.sessions.on('error', ({ error }) => told.push(error));
    await site.open();

    expect(told).toEqual([store.failure]);
  });

  test.each([
    ['error', '503'],
    ['skip', undefined],
  ] as const)('disconnected, with onStoreDown: %p', async (onStoreDown, refusal) => {
    const store = new session.MemoryStore();
    const sessions = session({ ...session.recommended, secret: SECRET, store, onStoreDown });
    sessions.on('error', () => {});
    const server = await listen();
    const wss = new WebSocketServer({ server });
    sessions.websocket(wss);
    const seen: unknown[] = [];
    wss.on('connection', (_client, req: any) => seen.push(req.session));
    store.emit('disconnect');
    const opening = openSocket(portOf(server));

    if (refusal) await expect(opening).rejects.toThrow(/^503$/);
    else await opening;
    expect(seen).toEqual(refusal ? [] : [undefined]);
  });

  test('an upgrade option that fails: 500, and no word of why', async () => {
    const failure = new Error('secret of the app');
    const site = await startSite({ sockets: { upgrade: () => Promise.reject(failure) } });
    const told: unknown[] = [];
    site.sessions.on('error', ({ error }) => told.push(error));

    await expect(site.open()).rejects.toThrow(/^500$/);
    expect(told).toEqual([failure]);
  });
});

test("a path that is not the server's is refused by ws, and the store is not asked", async () => {
  const store = new CountingStore();
  const sessions = session({ ...session.recommended, secret: SECRET, store });
  const server = await listen(express());
  sessions.websocket(new WebSocketServer({ server, path: '/live' }));

  await expect(openSocket(portOf(server))).rejects.toThrow(/^400/);
  expect(store.calls).toEqual([]);
});

test('a client that leaves while its session is loaded does no harm', async () => {
  const site = await startSite();
  await site.inRequest((req) => Object.assign(req.session, { user: 'ada' }));
  const loaded: (() => void)[] = [];
  const { get } = site.store;
  site.store.get = async (id) => {
    await new Promise<void>((resolve) => loaded.push(resolve));
    return get.call(site.store, id);
  };
  const upgraded = once(site.server, 'upgrade');
  const opening = site.open();
  const [, socket] = await upgraded;
  socket.destroy(new Error('reset'));
  await expect(opening).rejects.toThrow('socket hang up');
  for (const go of loaded) go();
  site.store.get = get;
  const answer = await site.inRequest((req) => (req.session as any).user);

  expect(answer.body).toBe('"ada"');
  expect(site.opened).toEqual([]);
});
