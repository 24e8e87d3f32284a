import assert from 'node:assert/strict';
import { once } from 'node:events';
import express from 'express';
import session from 'steady-session';
import { WebSocket, WebSocketServer } from 'ws';
import { address, Visitor } from './visitor.mjs';

const sessions = session({ ...session.recommended, secret: process.env.SESSION_SECRET });
const app = express().use(sessions);
app.get('/login', (req, res) => {
  req.session.user = 'ada';
  res.end();
});
app.get('/logout', (req, res) => {
  req.session.clear();
  res.end();
});
const server = app.listen(3000);
const logged = [];
console.log = (user) => logged.push(user);

// <websocket>

const visitor = new Visitor(await address());
await visitor.get('/login');
const [[name, value]] = visitor.cookies;
const socket = new WebSocket((await address()).replace('http', 'ws'), {
  headers: { cookie: `${name}=${value}` },
});
await once(socket, 'open');
assert.deepEqual(logged, ['ada']);
const closed = once(socket, 'close');
await visitor.get('/logout');
const [code] = await closed;
assert.equal(code, 1008);
