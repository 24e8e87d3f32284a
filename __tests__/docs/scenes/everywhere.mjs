import assert from 'node:assert/strict';
import express from 'express';
import session from 'steady-session';
import { address, Visitor } from './visitor.mjs';

const app = express();

// <everywhere>

app.use(express.json());
app.post('/login', (req, res) => {
  req.session.userId = req.body.userId;
  res.end();
});
app.get('/', (req, res) => res.json(req.session.userId ?? null));
app.listen(3000);

const base = await address();
const visitors = [7, 7, 8].map((userId) => ({ userId, visitor: new Visitor(base) }));
for (const { userId, visitor } of visitors) await visitor.post('/login', { userId });
const answer = await visitors[0].visitor.post('/logout-everywhere');
assert.equal(await answer.text(), 'Signed out on 2 devices.');
const left = await Promise.all(visitors.map(({ visitor }) => visitor.json('/')));
assert.deepEqual(left, [null, null, 8]);
