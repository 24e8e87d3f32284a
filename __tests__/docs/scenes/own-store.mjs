import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createClient } from 'redis';
import session from 'steady-session';
import { conformance } from 'steady-session/conformance';
import { address, Visitor } from './visitor.mjs';

// <own-store>

const client = await createClient({ url: process.env.REDIS_URL }).connect();
const checks = [];
const test = (name, check) => checks.push([name, check]);
conformance({
  test,
  store: () => myStore(client),
  second: () => myStore(client),
});
for (const [name, check] of checks) {
  await check().catch((cause) => assert.fail(`${name}: ${cause.message}`));
}
assert.ok(checks.length > 40);

const sessions = session({
  ...session.recommended,
  secret: process.env.SESSION_SECRET,
  store: myStore(client),
});
createServer((req, res) =>
  sessions(req, res, () => {
    req.session.views = (req.session.views ?? 0) + 1;
    res.end(String(req.session.views));
  }),
).listen(3000);
const visitor = new Visitor(await address());
assert.equal(await visitor.text('/'), '1');
assert.equal(await visitor.text('/'), '2');
client.destroy();
