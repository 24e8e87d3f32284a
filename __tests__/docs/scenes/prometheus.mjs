import assert from 'node:assert/strict';
import { address, Visitor } from './visitor.mjs';

// <prometheus>

app.get('/', (req, res) => {
  req.session.views = (req.session.views ?? 0) + 1;
  res.end();
});
app.listen(3000);

const visitor = new Visitor(await address());
for (let visit = 0; visit < 3; visit++) await visitor.get('/');
const metrics = await visitor.text('/metrics');
for (const [event, count] of [
  ['create', 1],
  ['load', 2],
  ['save', 2],
]) {
  assert.ok(metrics.includes(`session_events_total{event="${event}"} ${count}\n`));
  assert.ok(metrics.includes(`session_store_seconds_count{event="${event}"} ${count}\n`));
}
