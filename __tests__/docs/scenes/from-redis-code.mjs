import assert from 'node:assert/strict';
import { address, Visitor } from './visitor.mjs';

// <from-redis-code>

await client.set('session:abc', '{"userId":7}', { EX: 3600 });
const visitor = new Visitor(await address());
visitor.cookies = new Map([['token', 'abc']]);
assert.equal(await visitor.json('/'), 7);
assert.deepEqual([...visitor.cookies.keys()], ['connect.sid']);
assert.equal(await visitor.json('/'), 7);
const keys = await client.keys('*');
assert.match(keys.join(), /^sess:[\w-]{32}$/);
assert.ok((await client.pTTL(keys[0])) > 3_500_000);
client.destroy();
