import assert from 'node:assert/strict';
import express from 'express';
import session from 'steady-session';
import { address, Visitor } from './visitor.mjs';

const app = express();
const sessions = session({ ...session.recommended, secret: process.env.SESSION_SECRET, owner: 'userId' });
app.use(sessions, express.json());
app.post('/login', (req, res) => {
  req.session.userId = 7;
  req.session.browser = req.body.browser;
  res.end();
});
const changed = [];
globalThis.changePassword = async (...details) => changed.push(details);

// <owner>

app.listen(3000);

const base = await address();
const visitors = ['one', 'two', 'three'].map(() => new Visitor(base));
for (const [at, visitor] of visitors.entries()) await visitor.post('/login', { browser: `browser ${at}` });
const devices = await visitors[0].json('/devices');
assert.deepEqual(devices.map(({ browser }) => browser).sort(), ['browser 0', 'browser 1', 'browser 2']);

const answer = await visitors[1].post('/password', { password: 'new' });
assert.equal(await answer.text(), 'Signed out on 2 other devices.');
assert.deepEqual(changed, [[7, 'new']]);
assert.deepEqual(
  (await visitors[1].json('/devices')).map(({ browser }) => browser),
  ['browser 1'],
);
assert.equal((await visitors[0].get('/devices')).status, 401);
