import assert from 'node:assert/strict';

// <key-value>

const expires = Date.now() + 60_000;
for (const store of stores) {
  assert.equal(await store.set('id', 'text', { expires, expected: null }), true);
  assert.equal(await store.set('id', 'other', { expires, expected: null }), false);
  assert.equal(await store.get('id'), 'text');
}
assert.deepEqual(
  stores.map(({ atomic }) => atomic),
  [false, false, false, undefined],
);
