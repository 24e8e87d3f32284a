import assert from 'node:assert/strict';
import { createClient } from 'redis';
import { conformance } from 'steady-session/conformance';
import { RedisStore } from 'steady-session/redis';

const documented = `
// <redis-acl>
`;

const admin = await createClient({ url: process.env.REDIS_URL }).connect();
await admin.sendCommand(documented.trim().split(' '));
const client = createClient({ url: process.env.REDIS_URL, username: 'sessions', password: 'password' });
await client.on('error', console.error).connect();
const store = new RedisStore({ client });

const checks = [];
conformance({
  test: (name, check) => checks.push([name, check]),
  store: () => store,
  close() {},
  ttlGranularity: 100,
});
for (const [name, check] of checks) {
  if (name.startsWith('expiry')) continue; // needs the same commands, and time
  await check().catch((cause) => assert.fail(`${name}: ${cause.message}`));
}
const expires = Date.now() + 60_000;
assert.equal(await store.set('id', 'text', { expires, owner: 'ann' }), true);
assert.equal(await store.touch('id', expires, 'ann'), true);
assert.equal(await store.getAndTouch('id', expires), 'text');
const owned = [];
for await (const { key } of store.owned('ann')) owned.push(key);
assert.deepEqual(owned, ['id']);

const others = new RedisStore({ client, prefix: 'others:' });
await assert.rejects(others.get('id'), { code: 'ERR_SESSION_STORE_DENIED' });
client.destroy();
admin.destroy();
