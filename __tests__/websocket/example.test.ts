import { once } from 'node:events';
import type { Server } from 'node:http';
import { createChat } from '../../examples/websocket/app.js';
import session from '../../lib/index.js';
import { Browser } from '../support/http.js';
import { CountingStore, closeAll, closeLater, openSocket, portOf } from './support.js';

afterEach(closeAll);

async function start() {
  const store = new CountingStore();
  const server: Server = createChat({ session, secret: 'a secret for the chat, 32 bytes or more', store });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closeLater(() => {
    server.closeAllConnections();
    server.close();
  });
  const browser = new Browser({ port: portOf(server), http2: false });
  return { store, browser, open: () => openSocket(portOf(server), { cookie: browser.cookieHeader('/') }) };
}

const post = { method: 'POST' };

test('a user who is logged in talks until the logout', async () => {
  const { browser, open } = await start();
  await browser.get('/login/ada', post);
  const client = await open();
  const heard: unknown[] = [];
  client.socket.on('message', (data) => heard.push(JSON.parse(String(data))));
  for (const text of ['hello', 'again']) {
    const answered = once(client.socket, 'message');
    client.socket.send(text);
    await answered;
  }
  await browser.get('/logout', post);

  expect(await client.closed).toEqual([1008, 'session ended']);
  expect(heard).toEqual([
    { from: 'ada', text: 'hello', count: 1 },
    { from: 'ada', text: 'again', count: 2 },
  ]);
});

test('nobody else does', async () => {
  const { open } = await start();

  expect(await (await open()).closed).toEqual([1008, 'please log in']);
});

test('when the user leaves, the time is stored', async () => {
  const { browser, open, store } = await start();
  await browser.get('/login/ada', post);
  const client = await open();
  const before = store.calls.length;
  client.socket.close();
  await client.closed;
  while (store.count('set') < 2) await new Promise(setImmediate);

  expect(store.calls.slice(before)).toEqual(['set']);
  expect(store.data()).toEqual([{ user: 'ada', lastSeen: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) }]);
});
