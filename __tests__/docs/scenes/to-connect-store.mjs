import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { address, Visitor } from './visitor.mjs';

// <to-connect-store>

createServer((req, res) =>
  theirs(req, res, () => {
    req.session.views = (req.session.views ?? 0) + 1;
    res.end(String(req.session.views));
  }),
).listen(3000);

const visitor = new Visitor(await address());
assert.equal(await visitor.text('/'), '1');
assert.equal(await visitor.text('/'), '2');
assert.equal(await store.length(), 1);
