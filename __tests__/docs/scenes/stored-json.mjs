import assert from 'node:assert/strict';
import express from 'express';
import session from 'steady-session';
import { address, Visitor } from './visitor.mjs';

const documented = JSON.parse(`
// <stored-json>
`);

const store = new session.MemoryStore();
const app = express();
app.set('trust proxy', true);
app.use(
  session({
    ...session.recommended,
    secret: process.env.SESSION_SECRET,
    store,
    cookie: Object.assign({ maxAge: 3_600_000 }, session.recommended.cookie),
  }),
);
app.get('/', (req, res) => {
  req.session.userId = 7;
  res.end();
});
app.listen(3000);

await new Visitor(await address()).request('/', { headers: { 'x-forwarded-proto': 'https' } });
const [text] = Object.values(store.sessions);
const { expires } = JSON.parse(text).cookie;
documented.cookie.expires = expires;
assert.equal(text, JSON.stringify(documented));
assert.match(expires, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
