import assert from 'node:assert/strict';
import express from 'express';
import session from 'steady-session';
import { address, Visitor } from './visitor.mjs';

const app = express();
app.use(express.json());
app.use(session({ ...session.recommended, secret: process.env.SESSION_SECRET }));

// <update>

app.get('/notice', (req, res) => {
  req.session.notice = 'Hello.';
  res.end();
});
app.listen(3000);

const visitor = new Visitor(await address());
await visitor.get('/notice');
const items = ['tea', 'milk', 'bread', 'jam'];
const answers = await Promise.all(items.map((item) => visitor.post('/cart', { item })));
const texts = await Promise.all(answers.map((answer) => answer.text()));
assert.deepEqual(texts.sort(), ['1 items', '2 items', '3 items', '4 items']);
const notices = await Promise.all(items.map(() => visitor.text('/')));
assert.deepEqual(notices.sort(), ['Hello.', 'Nothing new.', 'Nothing new.', 'Nothing new.']);
