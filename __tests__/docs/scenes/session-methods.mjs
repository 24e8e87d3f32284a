import assert from 'node:assert/strict';
import express from 'express';
import session from 'steady-session';
import { address, Visitor } from './visitor.mjs';

const store = new session.MemoryStore();
const app = express();
app.use(express.json());
app.use(session({ ...session.recommended, secret: process.env.SESSION_SECRET, store }));

// <session-methods>

app.get('/', (req, res) => res.json({ ...req.session, cookie: undefined }));
app.get('/put', (req, res) => {
  Object.assign(req.session, {
    date: new Date(0),
    map: new Map([[1, 2]]),
    set: new Set([1]),
    pattern: /a/,
    nothing: undefined,
    work: () => 1,
    symbol: Symbol.iterator,
    notANumber: Number.NaN,
    endless: Infinity,
    bytes: Buffer.from('a'),
    url: new (class Point {
      x = 1;
    })(),
  });
  res.json([req.session.touch() === req.session, req.session.save(() => {}) === req.session]);
});
app.get('/big', (req, res) => {
  req.session.big = 1n;
  res.end('stored');
});
app.get('/other', async (req, res) => {
  res.json(await req.session.update((data) => ({ ...data, other: true })));
});
app.use((error, _req, res, _next) => res.status(500).end(error.message));
app.listen(3000);

const visitor = new Visitor(await address());
await visitor.post('/login', {});
assert.deepEqual(await visitor.json('/'), { userId: 7 });
const { visits, began } = await (await visitor.post('/visit', {})).json();
assert.deepEqual([visits, began], [1, undefined]);
assert.deepEqual(await visitor.json('/other'), { userId: 7, visits: 1, other: true });
assert.deepEqual(await visitor.json('/'), { userId: 7, visits: 1 });

assert.deepEqual(await visitor.json('/put'), [true, true]);
const kept = {
  date: '1970-01-01T00:00:00.000Z',
  map: {},
  set: {},
  pattern: {},
  notANumber: null,
  endless: null,
  bytes: { type: 'Buffer', data: [97] },
  url: { x: 1 },
};
assert.deepEqual(await visitor.json('/'), { userId: 7, visits: 1, ...kept });
assert.equal(await visitor.text('/big'), 'Do not know how to serialize a BigInt');

await visitor.post('/logout', {});
assert.deepEqual(Object.keys(store.sessions), []);
