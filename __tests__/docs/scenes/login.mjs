import assert from 'node:assert/strict';
import express from 'express';
import session from 'steady-session';
import { address, Visitor } from './visitor.mjs';

const store = new session.MemoryStore();
const app = express();
app.use(express.json());
app.use(session({ ...session.recommended, secret: process.env.SESSION_SECRET, store }));

globalThis.findUser = async (name, password) =>
  name === 'ann' && password === 'good' ? { id: 7 } : undefined;

// <login>

app.get('/', (req, res) =>
  res.json(Object.assign({ id: req.session.id }, req.session, { cookie: undefined })),
);
app.post('/cart', (req, res) => {
  req.session.cart = ['tea'];
  req.session.note = 'left behind';
  res.end();
});
app.listen(3000);

const visitor = new Visitor(await address());
await visitor.post('/cart');
const { id: planted } = await visitor.json('/');
assert.equal((await visitor.post('/login', { name: 'ann', password: 'bad' })).status, 401);
assert.equal((await visitor.post('/login', { name: 'ann', password: 'good' })).status, 302);
const { id, ...data } = await visitor.json('/');
assert.deepEqual(data, { cart: ['tea'], userId: 7 });
assert.notEqual(id, planted);
assert.deepEqual(Object.keys(store.sessions), [id]);

await visitor.post('/logout');
assert.deepEqual(store.sessions, Object.assign(Object.create(null), {}));
assert.deepEqual([...visitor.cookies.keys()], []);
