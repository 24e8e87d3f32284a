import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import session from 'steady-session';
import { address, Visitor } from './visitor.mjs';

const printed = [];
console.log = (line) => printed.push(line);

// <channels>

const sessions = session({ ...session.recommended, secret: process.env.SESSION_SECRET });
createServer((req, res) =>
  sessions(req, res, () => {
    req.session.views = (req.session.views ?? 0) + 1;
    res.end();
  }),
).listen(3000);

const visitor = new Visitor(await address());
await visitor.get('/in');
await visitor.get('/again');

assert.equal(printed.length, 1);
assert.match(printed[0], /^[0-9a-f]{12} began at \/in$/);
