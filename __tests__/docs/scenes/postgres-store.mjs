import assert from 'node:assert/strict';
import express from 'express';
import { address, Visitor } from './visitor.mjs';

// <postgres-store>

const app = express();
app.use(sessions);
app.get('/', (req, res) => {
  req.session.views = (req.session.views ?? 0) + 1;
  res.send(`${req.session.views}`);
});
app.listen(3000);

const visitor = new Visitor(await address());
assert.equal(await visitor.text('/'), '1');
assert.equal(await visitor.text('/'), '2');
const { rows } = await pool.query('SELECT sess FROM session');
assert.deepEqual(
  rows.map(({ sess }) => JSON.parse(sess).views),
  [2],
);
await pool.end();
