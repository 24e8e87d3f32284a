import { connect, type Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import session from '../../lib/index.js';
import { eventually } from '../support/async.js';
import { appWith, CountingStore, closeAll, closeLater, listen, portOf, SECRET } from './support.js';

afterEach(closeAll);

const SOCKETS = 5000;
const CHECK = 3000; // ms

/** Opens a socket by hand: 5,000 of `ws`' clients would take most of the test's time. */
function openRaw(port: number, cookie: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', reject);
    socket.once('data', () => {
      resolve(socket);
      socket.on('data', () => socket.destroy()); // the server wants to close
    });
    const key = 'AAAAAAAAAAAAAAAAAAAAAA==';
    socket.write(
      `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nCookie: ${cookie}\r\nConnection: Upgrade\r\n` +
        `Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
    );
  });
}

function timers(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
}

test('5,000 open sockets: no timer each, and no store traffic but one look for each session', async () => {
  const store = new CountingStore();
  const sessions = session({ ...session.recommended, secret: SECRET, store });
  const { app, browserOf } = appWith(sessions);
  const server = await listen(app);
  const wss = new WebSocketServer({ server });
  sessions.websocket(wss, { checkInterval: CHECK });
  const cookies: string[] = [];
  for (let user = 0; user < 100; user++) {
    const visitor = browserOf(server);
    await visitor.inRequest((req) => void Object.assign(req.session, { user }));
    cookies.push(visitor.cookie());
  }
  const clients: Socket[] = [];
  closeLater(() => {
    for (const client of clients) client.destroy();
    for (const client of wss.clients) client.terminate();
  });
  const before = timers();
  const start = performance.now();
  for (let at = 0; at < SOCKETS; at += 100) {
    const batch = cookies.map((cookie) => openRaw(portOf(server), cookie));
    clients.push(...(await Promise.all(batch)));
  }
  expect(wss.clients.size).toBe(SOCKETS);
  process.stdout.write(`  ${SOCKETS} sockets opened in ${Math.round(performance.now() - start)} ms\n`);

  // Right after a look there is none for as long as an interval is, and after that one for each session.
  store.calls.length = 0;
  await eventually(() => (store.calls.length >= 100 ? true : undefined));
  expect(store.calls).toHaveLength(100);
  expect(timers() - before).toBeLessThan(10);
  await new Promise((resolve) => setTimeout(resolve, CHECK / 2));
  expect(store.calls).toHaveLength(100);
  expect(store.count('get')).toBe(100);

  // And one that is gone is found among them.
  store.records.clear();
  await eventually(() => (wss.clients.size === 0 ? true : undefined));
}, 30_000);
