import assert from 'node:assert/strict';

// <better-sqlite3>

assert.equal(await store.set('id', 'text', { expires: Date.now() + 60_000 }), true);
assert.equal(await store.get('id'), 'text');
store.close();
