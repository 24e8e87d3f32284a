import assert from 'node:assert/strict';

// <memory-store>

await store.set('id', 'text', { expires: Date.now() + 60_000 });
assert.deepEqual({ ...store.sessions }, { id: 'text' });
assert.equal(await store.length(), 1);
store.close();
