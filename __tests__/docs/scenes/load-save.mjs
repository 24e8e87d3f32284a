import assert from 'node:assert/strict';

// <load-save>

const text = JSON.stringify({ cookie: { path: '/' }, userId: 7 });
assert.equal(await store.set('id', text, { expires: Date.now() + 59_500, expected: null }), true);
assert.equal(await store.get('id'), text);
assert.deepEqual(records.get('id').data, { cookie: { path: '/' }, userId: 7 });
await store.destroy('id');
assert.equal(records.size, 0);
assert.equal(store.atomic, false);
