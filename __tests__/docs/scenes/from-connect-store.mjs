import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';

// <from-connect-store>

const text = JSON.stringify({
  cookie: { originalMaxAge: null, expires: null, httpOnly: true, path: '/' },
  userId: 7,
});
const expires = Date.now() + 60_000;
assert.equal(await store.set('an-id', text, { expires, expected: null }), true);
assert.equal(await store.get('an-id'), text);
assert.deepEqual(readdirSync('./sessions'), ['an-id.json']);
assert.equal(await store.set('an-id', text, { expires, expected: null }), false);
await store.destroy('an-id');
assert.deepEqual(readdirSync('./sessions'), []);
process.exit(); // session-file-store's timer keeps the process alive
