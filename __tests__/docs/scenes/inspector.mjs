import assert from 'node:assert/strict';
import { address, Visitor } from './visitor.mjs';

// <inspector>

app.get('/login', (req, res) => {
  Object.assign(req.session, { userId: 7, admin: true });
  res.end();
});
app.get('/read', (_req, res) => res.end());
app.listen(3000);

const base = await address();
const admin = new Visitor(base);
const stranger = new Visitor(base);
await admin.get('/login');
const page = await admin.text('/sessions');
assert.match(page, /<title>Session inspector<\/title>/);
assert.equal((await stranger.get('/sessions')).status, 403);
await stranger.get('/read');

const controller = new AbortController();
const stream = await admin.request('/sessions?stream', { signal: controller.signal });
let told = '';
for await (const chunk of stream.body.pipeThrough(new TextDecoderStream())) {
  told += chunk;
  if (told.includes('event: sessions')) break;
}
const [, listing] = /event: sessions\ndata: (.*)\n/.exec(told);
assert.deepEqual(
  JSON.parse(listing).rows.map(({ owner, keys }) => [owner, keys]),
  [['7', ['userId', 'admin']]],
);
assert.match(told, /"why":"no Set-Cookie: unmodified and saveUninitialized is false"/);

const [{ session: hash }] = JSON.parse(listing).rows;
const [, token] = /data-token="([^"]*)"/.exec(page);
const headers = { 'x-inspector-token': token };
const revoked = await admin.request(`/sessions?revoke=${hash}`, { method: 'POST', headers });
assert.equal(await revoked.text(), 'Revoked');
assert.equal((await admin.get('/sessions')).status, 403);
