import assert from 'node:assert/strict';
import { once } from 'node:events';
import express from 'express';
import { Server } from 'socket.io';
import { io as connect } from 'socket.io-client';
import session from 'steady-session';
import { address, Visitor } from './visitor.mjs';

const sessions = session({ ...session.recommended, secret: process.env.SESSION_SECRET });
const app = express().use(sessions);
app.get('/login', (req, res) => {
  req.session.user = 'ada';
  res.end();
});
const server = app.listen(3000);
const logged = [];
console.log = (user) => logged.push(user);

// <socketio>

const visitor = new Visitor(await address());
await visitor.get('/login');
const [[name, value]] = visitor.cookies;
const client = connect(await address(), { extraHeaders: { cookie: `${name}=${value}` } });
await once(client, 'connect');
assert.deepEqual(logged, ['ada']);
client.close();
await io.close();
