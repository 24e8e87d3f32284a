import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import compression from 'compression';
import express from 'express';
import session, { fromMap } from 'steady-session';
import { address, Visitor } from './visitor.mjs';

const map = fromMap(new Map());
let failure;
const store = {
  ...map,
  async set(...args) {
    await setTimeout(100);
    if (failure) throw failure;
    return map.set(...args);
  },
};
const app = express();

// <compression>

app.get('/login', (req, res) => {
  req.session.user = 'ada';
  res.send('x'.repeat(3000));
});
app.get('/', (req, res) => res.json(req.session.user ?? null));
app.use((error, _req, res, next) => (res.headersSent ? next(error) : res.sendStatus(500)));
app.listen(3000);

const visitor = new Visitor(await address());
const login = await visitor.get('/login'); // resolves when the headers are there
assert.equal(login.headers.get('content-encoding'), 'gzip');
assert.equal(await visitor.json('/'), 'ada');
assert.equal((await login.text()).length, 3000);
failure = new Error('no space left');
assert.equal((await new Visitor(await address()).get('/login')).status, 500);
