import assert from 'node:assert/strict';
import { address, Visitor } from './visitor.mjs';

// <passport>

const visitor = new Visitor(await address());
assert.equal(await visitor.json('/'), null);
assert.equal((await visitor.post('/login', { username: 'ann', password: 'bad' })).status, 401);
assert.equal((await visitor.post('/login', { username: 'ann', password: 'good' })).status, 302);
assert.deepEqual(await visitor.json('/'), { id: 7 });
const stolen = new Map(visitor.cookies);
assert.equal((await visitor.post('/logout')).status, 302);
assert.equal(await visitor.json('/'), null);
visitor.cookies = stolen;
assert.equal(await visitor.json('/'), null);
