// An app that counts for Prometheus what happens to its sessions, and measures how long their store takes.
//
//   SESSION_SECRET=<32 random characters> node examples/metrics/server.js
//
// It needs `express` and `prom-client`. PORT is 3000 by default; 0 takes any free port. The metrics are at /metrics: in
// an app of yours, on a port that only Prometheus can reach.

const express = require('express');
const { Counter, Histogram, register } = require('prom-client');
const session = require('steady-session');

const EVENTS = [
  ...['create', 'load', 'save', 'touch', 'destroy', 'expire'],
  ...['rotate', 'reuse', 'conflict', 'interrupted', 'error'],
];

const sessions = session({ ...session.recommended, secret: process.env.SESSION_SECRET });
measure(sessions);

const app = express();
app.get('/metrics', async (_req, res) => {
  res.type(register.contentType).send(await register.metrics());
});
app.use(sessions);
app.get('/', (req, res) => {
  req.session.visits = (req.session.visits ?? 0) + 1;
  res.send(`<p>Visits: ${req.session.visits}</p>`);
});
app.post('/forget', (req, res) => {
  req.session.clear();
  res.redirect('/');
});

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', (error) => {
  if (error) throw error;
  console.log(`http://127.0.0.1:${server.address().port}`);
});

/** No label has an id or a user in it: each value of a label is a time series that Prometheus keeps. */
function measure(sessions) {
  const events = new Counter({
    name: 'session_events_total',
    help: 'What happened to sessions',
    labelNames: ['event'],
  });
  const duration = new Histogram({
    name: 'session_store_seconds',
    help: 'How long the session store took',
    labelNames: ['event'],
    buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5],
  });
  for (const event of EVENTS) {
    events.inc({ event }, 0); // a series that is there from the start, for rate() and for alarms
    sessions.on(event, (details) => {
      events.inc({ event });
      if (details.duration !== undefined) duration.observe({ event }, details.duration / 1000);
    });
  }
}
