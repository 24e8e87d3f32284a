import { once } from 'node:events';
import { connect } from 'node:net';
import { Server } from 'socket.io';
import { WebSocket } from 'ws';
import session from '../../lib/index.js';
import { eventually } from '../support/async.js';
import { gate } from '../support/http.js';
import { appWith, CountingStore, closeAll, closeLater, listen, portOf, SECRET } from './support.js';

afterEach(closeAll);

type Mount = 'io.engine.use(sessions)' | 'sessions.socketio(io)';

async function start(mount: Mount = 'sessions.socketio(io)') {
  const store = new CountingStore();
  const sessions = session({ ...session.recommended, secret: SECRET, store, touchAfter: 3_600_000 });
  const { app, browserOf } = appWith(sessions);
  const server = await listen(app);
  const io = new Server(server);
  closeLater(() => io.close());
  if (mount === 'sessions.socketio(io)') sessions.socketio(io, { checkInterval: 3_600_000 });
  else io.engine.use(sessions);
  const found: unknown[] = [];
  io.on('connection', ({ request }) => found.push((request as any).session?.user ?? request));
  const user = browserOf(server);
  await user.inRequest((req) => void Object.assign(req.session, { user: 'ada' }));
  return { io, found, user, port: portOf(server) };
}

// What anybody can send. Engine.IO decides by its own reading of the query what is a new connection.
describe.each(['', '&sid=', '&sid=&sid=', '&sid=x&sid=', '&SID=x'])('a handshake with %p', (query) => {
  test('over a WebSocket: the socket has its session', async () => {
    const { found, user, port } = await start();
    const socket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket${query}`, {
      headers: { cookie: user.cookie() },
    });
    closeLater(() => socket.terminate());
    await once(socket, 'open');
    socket.send('40');

    expect(await eventually(() => found[0])).toBe('ada');
  });

  test('over polling: the socket has its session', async () => {
    const { found, user, port } = await start();
    const path = '/socket.io/?EIO=4&transport=polling';
    const { body } = await user.browser.get(path + query);
    const { sid } = JSON.parse(body.slice(1));
    await fetch(`http://127.0.0.1:${port}${path}&sid=${sid}`, { method: 'POST', body: '40' });

    expect(await eventually(() => found[0])).toBe('ada');
  });
});

describe.each<Mount>(['io.engine.use(sessions)', 'sessions.socketio(io)'])('%s', (mount) => {
  test.each(['websocket', 'polling'])(
    'an upgrade to something else is refused, and does no harm (transport=%s)',
    async (transport) => {
      const { io, user, port } = await start(mount);
      const socket = connect(port, '127.0.0.1');
      closeLater(() => socket.destroy());
      socket.write(
        `GET /socket.io/?EIO=4&transport=${transport} HTTP/1.1\r\nHost: localhost\r\n` +
          `Cookie: ${user.cookie()}\r\nConnection: Upgrade\r\nUpgrade: something\r\n\r\n`,
      );
      const [answer] = await once(socket, 'data');

      expect(String(answer)).toMatch(/^HTTP\/1\.1 4\d\d /);
      expect(io.engine.clientsCount).toBe(0);
    },
  );
});

test.each(['websocket', 'polling'])(
  'a logout while a later io.engine.use() waits ends the connection (transport=%s)',
  async (transport) => {
    const { io, user, port } = await start();
    const loaded = gate();
    const asked = gate();
    io.engine.use(async (req: any, _res: unknown, next: () => void) => {
      if (req._query.sid) return next();
      loaded.open();
      await asked.opened;
      next();
    });
    const connected = once(io.engine, 'connection') as Promise<any[]>;
    const path = `/socket.io/?EIO=4&transport=${transport}`;
    if (transport === 'polling') {
      void user.browser.get(path);
    } else {
      const headers = { cookie: user.cookie() };
      const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers });
      closeLater(() => socket.terminate());
    }
    await loaded.opened;
    await user.inRequest((req) => void req.session.destroy());
    asked.open();
    const [connection] = await connected;

    // a client that polls hears of it when it polls again; from now on, what it sends is heard by nobody
    const closing = transport === 'polling' ? 'closing' : 'closed';
    expect(await eventually(() => (connection.readyState === closing ? closing : undefined))).toBe(closing);
  },
);

/** How a handshake comes by its session, and where it waits. */
const waits: Record<
  string,
  (io: Server, sessions: session.SessionHandler, wait: () => Promise<true>) => void
> = {
  'sessions.socketio(io), for `origins`': (io, sessions, origins) => sessions.socketio(io, { origins }),
  'sessions.socketio(io), for the store': (io, sessions) => sessions.socketio(io),
  'io.engine.use(sessions), for the store': (io, sessions) => io.engine.use(sessions),
};

test.each(Object.entries(waits))(
  'a client that resets the connection while its handshake waits does no harm: %s',
  async (name, mount) => {
    const [asked, answer] = [gate(), gate()];
    const wait = async (): Promise<true> => {
      asked.open();
      await answer.opened;
      return true;
    };
    const { texts } = new session.MemoryStore() as any;
    const get = name.includes('the store') ? () => wait().then(() => undefined) : texts.get;
    const sessions = session({ ...session.recommended, secret: SECRET, store: { ...texts, get } });
    const { app, browserOf } = appWith(sessions);
    const server = await listen(app);
    const io = new Server(server);
    closeLater(() => io.close());
    mount(io, sessions, wait);
    const user = browserOf(server);
    await user.inRequest((req) => void Object.assign(req.session, { user: 'ada' }));
    const upgraded = once(server, 'upgrade');
    const client = connect(portOf(server), '127.0.0.1').on('error', () => {});
    client.write(
      'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n' +
        'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
        `Cookie: ${user.cookie()}\r\n\r\n`,
    );
    const [{ socket }] = await upgraded;
    await asked.opened;
    const failed = new Promise((resolve) => socket.on('close', resolve)); // `once()` would listen to errors, too
    client.resetAndDestroy();
    await failed;
    answer.open();

    expect(socket.errored).toMatchObject({ code: 'ECONNRESET' });
    expect((await user.browser.get('/')).status).toBe(404); // the app goes on
  },
);
