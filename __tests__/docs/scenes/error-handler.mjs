import assert from 'node:assert/strict';
import express from 'express';
import session from 'steady-session';
import { address, Visitor } from './visitor.mjs';

const printed = [];
console.error = (...words) => printed.push(words);
const silent = {
  get: () => new Promise(() => {}),
  set: () => new Promise(() => {}),
  touch: () => new Promise(() => {}),
  destroy: () => new Promise(() => {}),
};
const app = express();
app.use(
  session({ ...session.recommended, secret: process.env.SESSION_SECRET, store: silent, storeTimeout: 20 }),
);
app.get('/', (req, res) => {
  req.session.views = 1;
  res.send('stored');
});

// <error-handler>

app.listen(3000);

const answer = await new Visitor(await address()).get('/');
assert.deepEqual([answer.status, await answer.text()], [500, 'Something went wrong here.']);
assert.match(printed[0][0], /did not save a session within 20 ms/);
assert.match(printed[0][1], /docs\/codes\.md#err_session_store_timeout$/);
