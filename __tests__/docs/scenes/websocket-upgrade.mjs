import assert from 'node:assert/strict';
import { once } from 'node:events';
import express from 'express';
import session from 'steady-session';
import { WebSocket, WebSocketServer } from 'ws';
import { address, Visitor } from './visitor.mjs';

const sessions = session({ ...session.recommended, secret: process.env.SESSION_SECRET });
const app = express().use(sessions);
app.get('/', (req, res) => {
  req.session.user = 'ada';
  res.json({ sockets: req.session.sockets ?? 0, messages: req.session.messages ?? 0 });
});
const server = app.listen(3000);

// <websocket-upgrade>

const visitor = new Visitor(await address());
assert.deepEqual(await visitor.json('/'), { sockets: 0, messages: 0 });
const [[name, value]] = visitor.cookies;
const socket = new WebSocket((await address()).replace('http', 'ws'), {
  headers: { cookie: `${name}=${value}` },
});
await once(socket, 'open');
for (const count of [1, 2]) {
  socket.send('hi');
  const [answer] = await once(socket, 'message');
  assert.equal(String(answer), `${count}: hi`);
}
assert.deepEqual(await visitor.json('/'), { sockets: 1, messages: 2 });
const closed = once(socket, 'close');
socket.close();
await closed;
