import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { address, Visitor } from './visitor.mjs';

const printed = [];
console.log = (line) => printed.push(line);

// <events>

const parts = [];
for (const name of ['create', 'load', 'save', 'touch', 'destroy', 'expire']) {
  sessions.on(name, (event) =>
    parts.push([name, Object.keys(event).filter((key) => event[key] !== undefined)]),
  );
}
const ids = [];
app.get('/in', (req, res) => {
  req.session.userId = 7;
  ids.push(req.session.id);
  res.end();
});
app.get('/read', (_req, res) => res.end());
let open;
app.get('/slow', async (req, res) => {
  req.session.late = true;
  await new Promise((resolve) => {
    open = resolve;
    sessions.on('destroy', resolve);
  });
  res.end();
});
app.get('/out', (req, res) => {
  req.session.clear();
  res.end();
});
app.listen(3000);

const visitor = new Visitor(await address());
await visitor.get('/in');
await visitor.get('/read');
const kept = new Map(visitor.cookies);
const slow = visitor.get('/slow');
while (!open) await new Promise(setImmediate);
await visitor.get('/out');
await slow;
visitor.cookies = kept;
await visitor.get('/read');

const hash = createHash('sha256').update(ids[0]).digest('hex').slice(0, 12);
assert.match(printed[0], new RegExp(`^${hash} began, from .*(127\\.0\\.0\\.1|::1)$`));
assert.deepEqual(printed.slice(1), [`${hash} ended`, `${hash} was gone; dropped: late`]);
const all = ['session', 'req', 'duration'];
assert.deepEqual(parts, [
  ['create', all],
  ['load', all],
  ['touch', all],
  ['load', all],
  ['load', all],
  ['destroy', all],
  ['expire', all],
]);
