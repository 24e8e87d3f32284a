import assert from 'node:assert/strict';
import express from 'express';
import session from 'steady-session';
import { address, Visitor } from './visitor.mjs';

const sessions = session({ ...session.recommended, secret: process.env.SESSION_SECRET });
const app = express().use(sessions);

// <inspector-mount>

app.get('/login', (req, res) => {
  req.session.admin = true;
  res.end();
});
app.listen(3000);

const admin = new Visitor(await address());
const stranger = new Visitor(await address());
await admin.get('/login');
assert.match(await admin.text('/sessions'), /<title>Session inspector<\/title>/);
assert.equal((await stranger.get('/sessions')).status, 403);
