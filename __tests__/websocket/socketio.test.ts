import { once } from 'node:events';
import { Server, type Socket } from 'socket.io';
import { type Socket as ClientSocket, io as connect, type ManagerOptions } from 'socket.io-client';
import session from '../../lib/index.js';
import { eventually } from '../support/async.js';
import {
  appWith,
  CountingStore,
  closeAll,
  closeLater,
  listen,
  portOf,
  SECRET,
  turns,
  type User,
} from './support.js';

afterEach(closeAll);
afterEach(() => {
  jest.useRealTimers();
});

type Mount = 'io.engine.use(sessions)' | 'sessions.socketio(io)';
type Transport = 'polling' | 'websocket';

const MOUNTS: Mount[] = ['io.engine.use(sessions)', 'sessions.socketio(io)'];
const TRANSPORTS: Transport[] = ['polling', 'websocket'];
const EVERY = MOUNTS.flatMap((mount) => TRANSPORTS.map((transport) => [mount, transport] as const));
const BOTH = TRANSPORTS.map((transport) => [transport] as const);

interface Site extends User {
  store: CountingStore;
  sessions: session.SessionHandler;
  io: Server;
  port: number;
  opened: (Socket & { request: any })[];
  open(
    transport: Transport,
    options?: { headers?: Record<string, string>; transports?: Transport[] },
  ): Promise<Client>;
}

interface Client {
  socket: ClientSocket;
  /** Why it was disconnected, by Socket.IO's reckoning. */
  disconnected: Promise<string>;
}

type SocketOptions = NonNullable<Parameters<session.SessionHandler['socketio']>[1]>;

interface How {
  mount?: Mount;
  options?: session.SessionOptions;
  sockets?: SocketOptions;
  /** Runs in the handshake, after the sessions. */
  upgrade?: (req: any) => void;
  namespace?: string;
}

async function start({
  mount = 'sessions.socketio(io)',
  options,
  sockets,
  upgrade,
  namespace = '/',
}: How = {}): Promise<Site> {
  const store = new CountingStore();
  const sessions = session({ ...session.recommended, secret: SECRET, store, ...options });
  const { app, browserOf } = appWith(sessions);
  const server = await listen(app);
  const io = new Server(server);
  closeLater(() => io.close());
  if (mount === 'io.engine.use(sessions)') io.engine.use(sessions);
  else sessions.socketio(io, sockets);
  if (upgrade) {
    io.engine.use((req: any, _res: any, next: () => void) => {
      if (req.session) upgrade(req);
      next();
    });
  }
  const opened: Site['opened'] = [];
  io.of(namespace).on('connection', (socket) => opened.push(socket as Site['opened'][number]));
  const port = portOf(server);
  const user = browserOf(server);
  const open: Site['open'] = async (transport, { headers = {}, transports = [transport] } = {}) => {
    const socket = connect(`http://127.0.0.1:${port}${namespace}`, {
      transports,
      extraHeaders: { cookie: user.cookie(), ...headers },
      reconnection: false,
      forceNew: true,
    } satisfies Partial<ManagerOptions> & { forceNew: boolean });
    closeLater(() => socket.disconnect());
    const disconnected = new Promise<string>((resolve) => socket.on('disconnect', resolve));
    await new Promise<void>((resolve, reject) => {
      socket.on('connect', resolve);
      socket.on('connect_error', reject);
    });
    await eventually(() => opened.at(-1));
    return { socket, disconnected };
  };
  return { ...user, store, sessions, io, port, opened, open };
}

async function loggedIn(how: How = {}): Promise<Site> {
  const site = await start(how);
  await site.inRequest((req) => void Object.assign(req.session, { user: 'ada' }));
  site.store.calls.length = 0;
  return site;
}

describe.each(EVERY)('%s over %s', (mount, transport) => {
  test('the socket has the session of its cookie', async () => {
    const site = await loggedIn({ mount });
    await site.open(transport);

    expect(site.opened[0]!.request.session.user).toBe('ada');
  });

  test('a forged cookie gets a fresh session, and nothing is stored', async () => {
    const site = await loggedIn({ mount });
    await site.open(transport, { headers: { cookie: `${site.cookie()}x` } });

    expect(site.opened[0]!.request.session.user).toBeUndefined();
    expect(site.store.data()).toEqual([{ user: 'ada' }]);
  });

  test('what is changed before the answer is stored, and its cookie goes out', async () => {
    const site = await start({ mount, upgrade: (req) => Object.assign(req.session, { device: 'phone' }) });
    const headers: any[] = [];
    const query = transport === 'polling' ? 'transport=polling' : 'transport=websocket';
    const { WebSocket } = await import('ws');
    if (transport === 'polling') {
      const answer = await site.browser.get(`/socket.io/?EIO=4&${query}`);
      headers.push(...answer.setCookie);
    } else {
      const socket = new WebSocket(`ws://127.0.0.1:${site.port}/socket.io/?EIO=4&${query}`);
      socket.on('upgrade', (response) => headers.push(...(response.headers['set-cookie'] ?? [])));
      await once(socket, 'open');
      closeLater(() => socket.terminate());
    }

    expect(headers).toEqual([
      expect.stringMatching(/^connect\.sid=s%3A.*; Path=\/; HttpOnly; SameSite=Lax$/),
    ]);
    expect(site.store.data()).toEqual([{ device: 'phone' }]);
  });

  test('a store that fails refuses, and no word of why goes out', async () => {
    const site = await loggedIn({ mount });
    site.sessions.on('error', () => {});
    site.store.failure = new Error('password of the database: 1234');
    const error: any = await site.open(transport).catch((problem) => problem);

    expect(error.message).toBe(transport === 'polling' ? 'xhr poll error' : 'websocket error');
    expect(JSON.stringify(error.context?.responseText ?? '')).not.toContain('1234');
    expect(site.opened).toEqual([]);
  });

  test('update(), save() and reload() are the merging ones', async () => {
    const site = await loggedIn({ mount });
    await site.open(transport);
    const { request } = site.opened[0]!;
    await site.inRequest((req) => void Object.assign(req.session, { color: 'red' }));
    request.session.moves = 1;
    await request.session.save();
    await request.session.update((data: any) => Object.assign(data, { level: 2 }));

    expect(site.store.data()).toEqual([{ user: 'ada', color: 'red', moves: 1, level: 2 }]);
    await site.inRequest((req) => void Object.assign(req.session, { color: 'blue' }));
    await request.session.reload();
    expect(request.session.color).toBe('blue');
  });
});

describe.each(BOTH)('sessions.socketio(io) over %s', (transport) => {
  test('a store that fails answers with 503, and the error is told', async () => {
    const site = await loggedIn();
    const told: unknown[] = [];
    site.sessions.on('error', ({ error }) => told.push(error));
    site.store.failure = new Error('out of reach');
    const error: any = await site.open(transport).catch((problem) => problem);

    expect(statusOf(error)).toBe(503);
    expect(told).toEqual([site.store.failure]);
    expect(site.opened).toEqual([]);
  });

  test('logging out disconnects, and the client does not come back by itself', async () => {
    const site = await loggedIn();
    const client = await site.open(transport);
    await site.inRequest((req) => void req.session.destroy());

    expect(await client.disconnected).toBe('io server disconnect');
  });

  test('so it does for a client that is in another namespace only', async () => {
    const site = await loggedIn({ namespace: '/admin' });
    const client = await site.open(transport);
    await site.inRequest((req) => void req.session.destroy());

    expect(await client.disconnected).toBe('io server disconnect');
  });

  test('a logout by another process disconnects within checkInterval', async () => {
    const site = await loggedIn({ sockets: { checkInterval: 20 } });
    const client = await site.open(transport);
    site.store.records.clear();

    expect(await client.disconnected).toBe('io server disconnect');
  });

  test('what the disconnect handlers change is stored, merged', async () => {
    const site = await loggedIn();
    const client = await site.open(transport);
    const [socket] = site.opened;
    socket!.on('disconnect', () => {
      socket!.request.session.left = true;
    });
    await site.inRequest((req) => void Object.assign(req.session, { color: 'red' }));
    client.socket.disconnect();

    await eventually(() => (site.store.data()[0] as any).left);
    expect(site.store.data()).toEqual([{ user: 'ada', color: 'red', left: true }]);
  });

  test('nothing is written when nothing has changed, and one read serves the connection', async () => {
    const site = await loggedIn();
    const client = await site.open(transport);
    const gone = once(site.opened[0]!, 'disconnect');
    client.socket.disconnect();
    await gone;
    await turns();

    expect([site.store.count('get'), site.store.count('set')]).toEqual([1, 0]);
  });

  test('messages prolong the session; heartbeats do not', async () => {
    const site = await loggedIn({ options: { ttl: 3_600_000 } });
    const client = await site.open(transport);
    const heard = once(site.opened[0]!, 'hello');
    site.store.calls.length = 0;
    jest.useFakeTimers({
      doNotFake: [
        'setImmediate',
        'nextTick',
        'queueMicrotask',
        'setTimeout',
        'setInterval',
        'clearTimeout',
        'clearInterval',
      ],
    });
    jest.setSystemTime(Date.now() + 20_000); // not so long that the client misses the server's heartbeat
    client.socket.emit('hello');
    await heard;
    await turns();

    expect(site.store.calls).toEqual(['get', 'touch']);
  });
});

test('over polling, a session that cannot be stored answers with 503, and the error is told', async () => {
  const site: Site = await start({
    upgrade(req) {
      req.session.device = 'phone';
      site.store.failure = new Error('disk full');
    },
  });
  const told: unknown[] = [];
  site.sessions.on('error', ({ error }) => told.push(error));
  const answer = await site.browser.get('/socket.io/?EIO=4&transport=polling');

  expect([answer.status, answer.body, answer.setCookie]).toEqual([503, '', []]);
  expect(told).toEqual([site.store.failure]);
});

test('a heartbeat prolongs no session, with io.engine.use(sessions)', async () => {
  const site = await loggedIn({ mount: 'io.engine.use(sessions)' });
  const { WebSocket } = await import('ws');
  const url = `ws://127.0.0.1:${site.port}/socket.io/?EIO=4&transport=websocket`;
  const socket = new WebSocket(url, { headers: { cookie: site.cookie() } });
  closeLater(() => socket.terminate());
  await once(socket, 'open');
  socket.send('40');
  const { conn } = await eventually(() => site.opened[0]);
  const heartbeat = once(conn as any, 'heartbeat');
  const later = Date.now() + 20_000;
  const clock = jest.spyOn(Date, 'now').mockReturnValue(later);
  site.store.calls.length = 0;
  socket.send('3');
  await heartbeat;
  await turns();
  clock.mockRestore();

  expect(site.store.calls).toEqual([]);
});

describe.each(MOUNTS.map((mount) => [mount] as const))(
  '%s: a client that changes from polling to WebSocket, as by default',
  (mount) => {
    /** A client that is connected by polling at first, and has changed over. */
    async function changedOver() {
      const site = await loggedIn({ mount });
      const client = await site.open('polling', { transports: ['polling', 'websocket'] });
      const { engine } = client.socket.io;
      if (engine.transport.name !== 'websocket') await once(engine as any, 'upgrade');
      await eventually(() => (site.opened[0]!.conn.transport.name === 'websocket' ? true : undefined));
      return { site, client, request: site.opened[0]!.request };
    }

    test('has one session all along', async () => {
      const { site, client, request } = await changedOver();
      await site.inRequest((req) => void Object.assign(req.session, { color: 'red' }));
      await request.session.update((data: any) => Object.assign(data, { moves: 1 }));

      expect(site.store.data()).toEqual([{ user: 'ada', color: 'red', moves: 1 }]);
      expect(site.opened).toHaveLength(1);
      expect(client.socket.connected).toBe(true);
    });

    test('is disconnected by a logout', async () => {
      const { site, client } = await changedOver();
      await site.inRequest((req) => void req.session.destroy());

      expect(await client.disconnected).toBe(
        mount === 'sessions.socketio(io)' ? 'io server disconnect' : 'transport close',
      );
      expect(site.store.records.size).toBe(0);
    });
  },
);

test('over a WebSocket the connection is closed with code 1008 and the reason', async () => {
  const site = await loggedIn();
  const client = await site.open('websocket');
  const { ws } = (client.socket.io.engine as any).transport;
  const closed = once(ws, 'close') as Promise<[number, Buffer]>;
  await site.inRequest((req) => void req.session.destroy());
  const [code, reason] = await Promise.race([
    closed,
    new Promise<any>((resolve) => {
      const { onclose } = ws;
      ws.onclose = (event: any) => {
        resolve([event.code, event.reason]);
        onclose?.(event);
      };
    }),
  ]);

  expect([code, String(reason)]).toEqual([1008, 'session ended']);
});

test('io.engine.use(sessions): a logout closes the WebSocket, and changes are stored when it closes', async () => {
  const site = await loggedIn({ mount: 'io.engine.use(sessions)' });
  const first = await site.open('websocket');
  site.opened[0]!.on('disconnect', () => {
    site.opened[0]!.request.session.left = true;
  });
  first.socket.disconnect();
  await eventually(() => (site.store.data()[0] as any).left);
  const second = await site.open('websocket');
  await site.inRequest((req) => void req.session.destroy());

  expect(await second.disconnected).toBe('transport close');
  expect(site.store.records.size).toBe(0);
});

describe('Origin', () => {
  test.each(EVERY)('%s over %s: the same host may connect', async (mount, transport) => {
    const site = await loggedIn({ mount });
    await site.open(transport, { headers: { origin: `http://127.0.0.1:${site.port}` } });

    expect(site.opened).toHaveLength(1);
  });

  // CORS keeps foreign pages from polling: they can't read what they need to go on.
  test.each(
    EVERY.filter(([mount, transport]) => mount === 'sessions.socketio(io)' || transport === 'websocket'),
  )('%s over %s: a foreign one is refused with 403, and the store is not asked', async (mount, transport) => {
    const site = await loggedIn({ mount });
    const error: any = await site
      .open(transport, { headers: { origin: 'https://evil.example' } })
      .catch((problem) => problem);

    expect(statusOf(error)).toBe(403);
    expect(site.store.calls).toEqual([]);
  });

  test.each(BOTH)('over %s: those of `origins` may connect', async (transport) => {
    const site = await loggedIn({ sockets: { origins: ['https://app.example.com'] } });
    await site.open(transport, { headers: { origin: 'https://app.example.com' } });

    expect(site.opened).toHaveLength(1);
  });
});

function statusOf(error: any): number {
  const status = /\b(\d{3})\b/.exec(String(error.context?.message ?? error.description?.message ?? ''))?.[1];
  return Number(status ?? error.description);
}
