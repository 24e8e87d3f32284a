import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { address, Visitor } from './visitor.mjs';

// <redis>

createServer((req, res) =>
  sessions(req, res, () => {
    req.session.views = (req.session.views ?? 0) + 1;
    res.end(String(req.session.views));
  }),
).listen(3000);

const visitor = new Visitor(await address());
assert.equal(await visitor.text('/'), '1');
assert.equal(await visitor.text('/'), '2');
const keys = await client.keys('*');
assert.equal(keys.length, 1);
assert.match(keys[0], /^sess:[\w-]{32}$/);
assert.equal(JSON.parse(await client.get(keys[0])).views, 2);
client.destroy();
