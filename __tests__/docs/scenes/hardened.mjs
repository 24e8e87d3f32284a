import assert from 'node:assert/strict';
import express from 'express';
import { address, Visitor } from './visitor.mjs';

// <hardened>

const app = express();
app.set('trust proxy', true);
app.use(sessions);
app.get('/', (req, res) => {
  req.session.userId = 7;
  res.json([req.session.expiresAt - Date.now(), Date.now() - req.session.createdAt]);
});
app.listen(3000);

const visitor = new Visitor(await address());
const response = await visitor.request('/', { headers: { 'x-forwarded-proto': 'https' } });
assert.match(
  response.headers.get('set-cookie'),
  /^__Host-id=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
);
const [left, age] = await response.json();
assert.ok(left > 29 * MINUTE && left <= 30 * MINUTE);
assert.ok(age >= 0 && age < MINUTE);
assert.equal(await sessions.revoke(7), 1);
