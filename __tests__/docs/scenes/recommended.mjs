import assert from 'node:assert/strict';
import express from 'express';
import { address, Visitor } from './visitor.mjs';

// <recommended>

const app = express();
app.set('trust proxy', true);
app.use(sessions);
app.get('/', (req, res) => {
  req.session.userId ??= 7;
  res.json([req.session.cookie.maxAge, req.session.expiresAt - Date.now()]);
});
app.listen(3000);

const visitor = new Visitor(await address());
const https = { headers: { 'x-forwarded-proto': 'https' } };
const first = await visitor.request('/', https);
const cookie = /^__Host-id=[^;]+; Path=\/; Expires=[^;]+; HttpOnly; Secure; SameSite=Lax$/;
assert.match(first.headers.get('set-cookie'), cookie);
const second = await visitor.request('/', https);
assert.match(second.headers.get('set-cookie'), cookie);
for (const left of await second.json()) assert.ok(left > HOUR / 2 - 60_000 && left <= HOUR / 2);
