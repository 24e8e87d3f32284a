// An Express 5 app with one of the subjects, in a process of its own (end-to-end.js starts it).
const express = require('express');
const { options, seed } = require('./scenarios.js');
const { subjectOf } = require('./subjects/index.js');

const [subject] = process.argv.slice(2);
const app = express();
app.use(subjectOf(subject).create(options).middleware);

app.get('/login', (req, res) => {
  seed({})(req.session);
  res.json({ ok: true });
});

app.get('/read', (req, res) => {
  res.json({ name: req.session.user.name });
});

app.get('/change', (req, res) => {
  req.session.views++;
  res.json({ views: req.session.views });
});

const server = app.listen(0, '127.0.0.1', () => process.send(server.address().port));
process.once('disconnect', () => process.exit());
