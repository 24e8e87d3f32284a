/** Socket.IO with the middleware alone, as apps of express-session have it. */
import { once } from 'node:events';
import { type IncomingMessage, ServerResponse } from 'node:http';
import { connect as connectTo } from 'node:net';
import type { Duplex } from 'node:stream';
import { Server } from 'socket.io';
import { io as connect } from 'socket.io-client';
import { WebSocket, WebSocketServer } from 'ws';
import { signatureOf } from '../../lib/cookies/signature.js';
import session from '../../lib/index.js';
import { eventually } from '../support/async.js';
import { gate } from '../support/http.js';
import {
  appWith,
  CountingStore,
  closeAll,
  closeLater,
  listen,
  openSocket,
  portOf,
  SECRET,
} from './support.js';

afterEach(closeAll);

/** Each text comes only once, whichever test causes it first. */
let warn: jest.SpyInstance;
beforeAll(() => {
  warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
});
afterAll(() => warn.mockRestore());

const FOREIGN = 'http://page.example';

type Mount = (io: Server, sessions: session.SessionHandler) => void;

const perSocket: Mount = (io, sessions) => {
  io.use((socket, next) => sessions(socket.request, {}, next as () => void));
};
const perConnection: Mount = (io, sessions) => io.engine.use(sessions);

async function start(mount: Mount, cors?: object) {
  const store = new CountingStore();
  const sessions = session({ secret: SECRET, store, resave: false, saveUninitialized: false });
  const { app, browserOf } = appWith(sessions);
  const server = await listen(app);
  const io = new Server(server, cors && { cors });
  closeLater(() => io.close());
  mount(io, sessions);
  const found: any[] = [];
  io.on('connection', ({ request }) => found.push((request as any).session));
  const user = browserOf(server);
  await user.inRequest((req) => void Object.assign(req.session, { user: 'ada' }));
  store.calls.length = 0;
  const open = async (transports: string[], origin?: string) => {
    const socket = connect(`http://127.0.0.1:${portOf(server)}`, {
      transports,
      extraHeaders: { cookie: user.cookie(), ...(origin && { origin }) },
      reconnection: false,
      forceNew: true,
    });
    closeLater(() => socket.disconnect());
    await new Promise((resolve, reject) => {
      socket.on('connect', () => resolve(undefined));
      socket.on('connect_error', reject);
    });
    return socket;
  };
  return { store, found, open };
}

describe('io.use((socket, next) => sessions(socket.request, {}, next))', () => {
  test.each(['polling', 'websocket'])(
    'over %s: the socket has its session, and can save it',
    async (transport) => {
      const { store, found, open } = await start(perSocket);
      await open([transport]);
      const live = await eventually(() => found[0]);
      live.seen = transport;
      await live.save();

      expect(store.data()).toEqual([{ user: 'ada', seen: transport }]);
    },
  );

  test('a socket of a foreign page, which was accepted already, is told why it has no session', async () => {
    const { store, found, open } = await start(perSocket);
    const refused = open(['websocket'], FOREIGN);

    await expect(refused).rejects.toThrow(/page from another host.*origins/);
    expect([found, store.calls]).toEqual([[], []]);
  });

  test('so is a socket of ws', async () => {
    const store = new CountingStore();
    const sessions = session({ secret: SECRET, store, resave: false, saveUninitialized: false });
    const server = await listen();
    const wss = new WebSocketServer({ server });
    const told = new Promise<any>((resolve) => {
      wss.on('connection', (_socket, req) => sessions(req, {}, resolve));
    });
    await openSocket(portOf(server), { origin: FOREIGN });

    expect(await told).toMatchObject({ name: 'SteadyError', code: 'ERR_SESSION_ORIGIN' });
    expect(store.calls).toEqual([]);
  });
});

test('a store that fails is told of by next() where the socket was accepted already, as by express-ws', async () => {
  const failure = new Error('the store is away');
  const { texts } = new session.MemoryStore() as any;
  const store = { ...texts, get: () => Promise.reject(failure) };
  const sessions = session({ secret: SECRET, store, resave: false, saveUninitialized: false });
  const server = await listen();
  const wss = new WebSocketServer({ server });
  const told = new Promise<unknown>((resolve) => {
    wss.on('connection', (socket, req) => {
      sessions(req, new ServerResponse(req), (error) => {
        resolve(error);
        socket.close(4000);
      });
    });
  });
  const sessionCookie = `connect.sid=${encodeURIComponent(`s:id.${signatureOf('id', SECRET)}`)}`;
  const { closed } = await openSocket(portOf(server), { cookie: sessionCookie });

  expect(await told).toBe(failure);
  expect((await closed)[0]).toBe(4000); // and not 1006: nothing else was written into it
});

describe.each<[string, (req: IncomingMessage) => unknown]>([
  ['{}', () => ({})],
  ['nothing', () => undefined],
  ['a response without a connection, as by express-ws', (req) => new ServerResponse(req)],
  [
    'a response that has the connection',
    (req) => {
      const res = new ServerResponse(req);
      res.assignSocket(req.socket);
      return res;
    },
  ],
])('sessions(req, res, next) in an upgrade handler, res being %s', (_, makeResponse) => {
  const serve = async (options: session.SessionOptions = {}) => {
    const store = new CountingStore();
    const sessions = session({ secret: SECRET, store, resave: false, saveUninitialized: false, ...options });
    const { app, browserOf } = appWith(sessions);
    const server = await listen(app);
    const wss = new WebSocketServer({ noServer: true });
    const users: unknown[] = [];
    server.on('upgrade', (req: any, socket, head) => {
      sessions(req, makeResponse(req), () => {
        users.push(req.session?.user);
        wss.handleUpgrade(req, socket, head, () => {});
      });
    });
    const user = browserOf(server);
    await user.inRequest((req) => void Object.assign(req.session, { user: 'ada' }));
    const open = (origin: string) => openSocket(portOf(server), { cookie: user.cookie(), origin });
    return { users, open, host: `http://127.0.0.1:${portOf(server)}` };
  };

  test('a page of the same host has its session', async () => {
    const { users, open, host } = await serve();
    await open(host);

    expect(users).toEqual(['ada']);
  });

  test('one of another host is refused', async () => {
    const { users, open } = await serve();

    await expect(open(FOREIGN)).rejects.toThrow(/^403$/);
    expect(users).toEqual([]);
  });

  test.each<[string, session.SessionOptions]>([
    ['on another path than the cookie', { cookie: { path: '/app' } }],
    ['that is skipped', { skip: (req) => req.headers.upgrade !== undefined }],
  ])('one of another host may open a socket %s: it has no session', async (_name, options) => {
    const { users, open } = await serve(options);
    await open(FOREIGN);

    expect(users).toEqual([undefined]);
  });

  test('a socket that sessions.websocket() has let in keeps its session', async () => {
    const sessions = session({ secret: SECRET, resave: false, saveUninitialized: false });
    const server = await listen();
    const wss = new WebSocketServer({ server });
    sessions.websocket(wss, { origins: [FOREIGN] });
    const told = new Promise<unknown>((resolve) => {
      wss.on('connection', (_socket, req: any) => {
        const { session: before } = req;
        sessions(req, makeResponse(req), (error?: unknown) => resolve([error, req.session === before]));
      });
    });
    await openSocket(portOf(server), { origin: FOREIGN });

    expect(await told).toEqual([undefined, true]);
  });

  test('a client that resets the connection while the store is slow does not end the process', async () => {
    const asked = gate();
    const answer = gate();
    const { texts } = new session.MemoryStore() as any;
    const get = async () => {
      asked.open();
      await answer.opened;
    };
    const sessions = session({ ...session.recommended, secret: SECRET, store: { ...texts, get } });
    const server = await listen();
    const ended = new Promise<Duplex>((resolve) => {
      server.on('upgrade', (req: any, socket) => {
        sessions(req, makeResponse(req), () => {});
        socket.on('close', () => resolve(socket)); // `once()` would listen to errors, too
      });
    });
    const client = connectTo(portOf(server), '127.0.0.1').on('error', () => {});
    const cookie = `connect.sid=${encodeURIComponent(`s:id.${signatureOf('id', SECRET)}`)}`;
    client.write(
      `GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nCookie: ${cookie}\r\n\r\n`,
    );
    await asked.opened;
    client.resetAndDestroy();

    expect((await ended).errored).toMatchObject({ code: 'ECONNRESET' });
    answer.open();
  });
});

test('what stands for a response and throws when it is asked, as that of websocket-express, allows no page', async () => {
  const sessions = session({ secret: SECRET, resave: false, saveUninitialized: false });
  const server = await listen();
  const told: unknown[] = [];
  server.on('upgrade', (req: any) => {
    const res = Object.create(ServerResponse.prototype, { end: { value() {} } });
    res.getHeader = () => {
      throw new TypeError('there are no headers');
    };
    sessions(req, res, (error?: unknown) => told.push(error));
  });

  await expect(openSocket(portOf(server), { origin: FOREIGN })).rejects.toThrow(/^403$/);
  expect(told).toEqual([]);
});

test('a handshake that is answered as any request keeps the cookies of the app', async () => {
  const sessions = session({ secret: SECRET, resave: false, saveUninitialized: false });
  const server = await listen();
  server.on('upgrade', (req: any, socket: any) => {
    const res = new ServerResponse(req);
    sessions(req, res, () => {
      req.session.asked = true;
      res.setHeader('Set-Cookie', 'mine=1');
      res.assignSocket(socket);
      res.writeHead(401, { Connection: 'close' }).end('log in');
      socket.end();
    });
  });
  const refused = new WebSocket(`ws://127.0.0.1:${portOf(server)}/`);
  refused.on('error', () => {});
  const [, answer] = await once(refused, 'unexpected-response');

  expect(answer.statusCode).toBe(401);
  expect(answer.headers['set-cookie']).toEqual(['mine=1', expect.stringMatching(/^connect\.sid=s%3A/)]);
});

test('a socket that sessions.websocket() has let in has its session in the middleware, too', async () => {
  const sessions = session({ secret: SECRET, resave: false, saveUninitialized: false });
  const server = await listen();
  const wss = new WebSocketServer({ server });
  sessions.websocket(wss, { origins: [FOREIGN] });
  const told = new Promise<any>((resolve) => {
    wss.on('connection', (_socket, req: any) => {
      const { session: before } = req;
      sessions(req, new ServerResponse(req), (error?: unknown) => resolve([error, req.session === before]));
    });
  });
  await openSocket(portOf(server), { origin: FOREIGN });

  expect(await told).toEqual([undefined, true]);
});

describe('io.engine.use(sessions)', () => {
  test('a page that the app lets in by CORS, with its cookie, may open a WebSocket', async () => {
    const { found, open } = await start(perConnection, { origin: FOREIGN, credentials: true });
    await open(['websocket'], FOREIGN);

    expect(await eventually(() => found[0])).toMatchObject({ user: 'ada' });
  });

  test('one that polls first changes to a WebSocket', async () => {
    const { open } = await start(perConnection, { origin: FOREIGN, credentials: true });
    const { engine } = (await open(['polling', 'websocket'], FOREIGN)).io;
    if (engine.transport.name === 'polling') await once(engine as any, 'upgrade');

    expect(engine.transport.name).toBe('websocket');
  });

  test('any other page is refused, and the developer told once how to allow it', async () => {
    for (const cors of [
      { origin: 'http://other.example', credentials: true },
      { origin: '*', credentials: true },
      { origin: FOREIGN }, // without its cookie
      undefined,
    ]) {
      const { store, found, open } = await start(perConnection, cors);
      const error: any = await open(['websocket'], FOREIGN).catch((problem) => problem);

      expect(error.context?.message ?? error.description?.message).toMatch(/\b403\b/);
      expect([found, store.calls]).toEqual([[], []]);
    }
    const told = warn.mock.calls.filter(([, how]) => (how as any)?.code === 'WARN_SESSION_ORIGIN');

    expect(told).toEqual([
      [expect.stringContaining("{ origins: ['https://app.example.com'] }"), expect.anything()],
    ]);
  });
});
