import assert from 'node:assert/strict';
import { createClient } from 'redis';
import { conformance } from 'steady-session/conformance';
import { RedisStore } from 'steady-session/redis';

const documented = `
// <redis-acl>
`;

const admin = await createClient({ url: process.env.REDIS_URL }).connect();
const [plain, forOwner, forNotify] = documented
  .trim()
  .split('\n')
  .map((line) => () => admin.sendCommand(line.split(' ')));
await plain();
const client = createClient({ url: process.env.REDIS_URL, username: 'sessions', password: 'password' });
await client.on('error', console.error).connect();
const store = new RedisStore({ client });
const expires = Date.now() + 60_000;
const denied = { code: 'ERR_SESSION_STORE_DENIED' };

assert.equal(await store.set('id', 'text', { expires, expected: null }), true);
assert.equal(await store.set('id', 'other', { expires, expected: 'text' }), true);
assert.equal(await store.touch('id', expires), true);
assert.equal(await store.getAndTouch('id', expires), 'other');
const listed = [];
for await (const id of store.ids()) listed.push(id);
assert.deepEqual(listed, ['id']);
await store.destroy('id');
await assert.rejects(store.set('id', 'text', { expires, owner: 'ann' }), { name: 'SteadyError' });

await forOwner();
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
assert.equal(await store.set('id', 'text', { expires, owner: 'ann' }), true);
assert.equal(await store.touch('id', expires, 'ann'), true);
assert.equal(await store.getAndTouch('id', expires), 'text');
const owned = [];
for await (const { key } of store.owned('ann')) owned.push(key);
assert.deepEqual(owned, ['id']);

const telling = new RedisStore({ client, notify: true });
await assert.rejects(
  telling.onDestroy(() => {}),
  denied,
);
await forNotify();
const heard = new Promise((resolve) => void telling.onDestroy(resolve).then(() => telling.destroy('id')));
assert.match(await heard, /^sha256-/);
telling.close();

const others = new RedisStore({ client, prefix: 'others:' });
await assert.rejects(others.get('id'), denied);
client.destroy();
admin.destroy();
