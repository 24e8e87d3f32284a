import assert from 'node:assert/strict';
import { once } from 'node:events';

// <ioredis-store>

const expires = Date.now() + 60_000;
assert.equal(await store.set('id', 'text', { expires, expected: null }), true);
assert.equal(await store.get('id'), 'text');

client.on('error', () => {}).off('error', console.error);
client.shutdown('NOSAVE').catch(() => {});
await once(client, 'close');
await assert.rejects(store.get('id'), { code: 'ERR_SESSION_STORE_UNREACHABLE' });
client.disconnect();
