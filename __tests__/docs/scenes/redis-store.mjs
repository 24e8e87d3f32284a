import assert from 'node:assert/strict';
import express from 'express';
import { address, Visitor } from './visitor.mjs';

// <redis-store>

const app = express();
app.use(sessions);
app.get('/', (req, res) => {
  req.session.views = (req.session.views ?? 0) + 1;
  res.send(`${req.session.views}`);
});
app.use((error, _req, res, _next) => res.status(500).send(error.code));
app.listen(3000);

const visitor = new Visitor(await address());
assert.equal(await visitor.text('/'), '1');
assert.match((await client.keys('*')).join(), /^shop:[\w-]{32}$/);

// While Redis is away, requests fail at once.
client.on('error', () => {}).off('error', console.error);
await client.sendCommand(['SHUTDOWN', 'NOSAVE']).catch(() => {});
const start = Date.now();
assert.equal(await visitor.text('/'), 'ERR_SESSION_STORE_UNREACHABLE');
assert.ok(Date.now() - start < 5000);
client.destroy();
