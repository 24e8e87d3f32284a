/** What a hostile review has found, and what must not come back. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { Cookie } from '../../lib/cookies/cookie.js';
import { expireStrays } from '../../lib/cookies/stray-cookies.js';
import session from '../../lib/index.js';

const SECRET = 'a secret of more than thirty-two bytes';

test('a request target that is no URL gets no session, and ends no process', async () => {
  const sessions = session({ ...session.recommended, secret: SECRET });
  const server = createServer((req, res) =>
    sessions(req, res, () => res.end(`session: ${'session' in req}`)),
  );
  await once(server.listen(0), 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.end('GET http://[::1/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  let answer = '';
  for await (const bytes of socket) answer += bytes;
  server.close();
  expect(answer).toMatch(/\r\n\r\nsession: false$/);
});

test('expiring stray cookies takes no longer for a longer path or host', () => {
  const start = process.cpuUsage();
  const lines = expireStrays('sid', new Cookie({}), `${'a.'.repeat(30_000)}example`, '/a'.repeat(60_000));
  const { user } = process.cpuUsage(start);
  expect(lines).toHaveLength(8);
  expect(user).toBeLessThan(200_000); // microseconds; it took seconds
});

test('what a close handler puts in the session of a socket does not undo a logout: callback store', async () => {
  const store = new session.MemoryStore();
  const set = store.set.bind(store) as any;
  store.set = ((...args: any[]) => set(...args)) as any; // replaced, and so used by callback
  const sessions = session({ secret: SECRET, resave: false, saveUninitialized: false, store });
  const server = createServer((req: any, res) =>
    sessions(req, res, () => {
      if (req.url === '/login') req.session.user = 'alice';
      if (req.url === '/logout') req.session.destroy(() => res.end());
      else res.end();
    }),
  );
  const wss = new WebSocketServer({ server });
  sessions.websocket(wss);
  const closed = new Promise<void>((resolve) => {
    wss.on('connection', (socket, req: any) => {
      socket.on('close', () => {
        req.session.lastSeen = 1;
        setTimeout(resolve, 50); // longer than the store takes; what must not happen has no event
      });
    });
  });
  await once(server.listen(0), 'listening');
  const { port } = server.address() as AddressInfo;
  const login = await fetch(`http://127.0.0.1:${port}/login`);
  const cookie = login.headers.getSetCookie()[0]!.split(';')[0]!;
  const client = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { cookie } });
  await once(client, 'open');

  await fetch(`http://127.0.0.1:${port}/logout`, { headers: { cookie } });
  await closed;

  expect(store.sessions).toEqual({});
  store.close();
  server.close();
  server.closeAllConnections();
});
