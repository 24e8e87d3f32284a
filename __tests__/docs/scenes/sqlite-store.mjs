import assert from 'node:assert/strict';

// <sqlite-store>

assert.equal(typeof sessions, 'function');
assert.equal(await store.set('id', 'text', { expires: Date.now() + 60_000 }), true);
assert.equal(await store.get('id'), 'text');
store.close();
