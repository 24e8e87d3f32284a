import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import session from 'steady-session';
import { address, Visitor } from './visitor.mjs';

process.env.SESSION_KEY = 'a text of at least thirty-two random characters';

// <wrappers>

const sessions = session({ ...session.recommended, secret: process.env.SESSION_SECRET, store });
createServer((req, res) =>
  sessions(req, res, () => {
    req.session.views = (req.session.views ?? 0) + 1;
    res.end(String(req.session.views));
  }),
).listen(3000);

const visitor = new Visitor(await address());
assert.equal(await visitor.text('/'), '1');
assert.equal(await visitor.text('/'), '2');
