import assert from 'node:assert/strict';
import express from 'express';
import { address, Visitor } from './visitor.mjs';

// <connect-redis>

const app = express();
app.use(sessions);
const waiting = [];
app.get('/together/:key', async (req, res) => {
  await new Promise((go) => {
    waiting.push(go);
    if (waiting.length === 3) for (const next of waiting) next();
  });
  req.session[req.params.key] = true;
  res.end();
});
app.get('/', (req, res) => {
  req.session.a ??= true;
  res.json(Object.keys(req.session).sort());
});
app.listen(3000);

const visitor = new Visitor(await address());
await visitor.get('/');
await Promise.all(['b', 'c', 'd'].map((key) => visitor.get(`/together/${key}`)));
assert.deepEqual(await visitor.json('/'), ['a', 'b', 'c', 'cookie', 'd']);
client.destroy();
