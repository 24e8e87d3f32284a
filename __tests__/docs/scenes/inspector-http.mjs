import assert from 'node:assert/strict';
import { address, Visitor } from './visitor.mjs';

function answer(req, res) {
  if (req.url === '/login') req.session.admin = true;
  res.end('the app');
}

// <inspector-http>

const base = await address();
const visitor = new Visitor(base);
assert.equal((await visitor.get('/sessions')).status, 403);
await visitor.get('/login');
assert.match(await visitor.text('/sessions'), /<title>Session inspector<\/title>/);
assert.equal(await visitor.text('/sessionsx'), 'the app');
inspect.close();
