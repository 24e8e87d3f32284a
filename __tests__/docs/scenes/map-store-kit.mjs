import assert from 'node:assert/strict';

// <map-store>

assert.equal(MapStore.name, 'MapStore');

// <map-store-kit>
