'use strict';

// An app that was written for express-session, and moved with one line, the one marked below. The rest of it, the
// options, the callbacks and the store, is as it was. Visitors keep their sessions.
//
//   SESSION_SECRET=<32 random characters> SESSION_FILES=sessions node examples/migrate-from-express-session/server.js
//
// It needs `express` and `session-file-store`. PORT is 3000 by default; 0 takes any free port.

const express = require('express');
const session = require('steady-session'); // the line: it was require('express-session')
const FileStore = require('session-file-store')(session);

const app = express();
app.use(
  session({
    secret: process.env.SESSION_SECRET,
    resave: false,
    saveUninitialized: false,
    store: new FileStore({ path: process.env.SESSION_FILES ?? 'sessions', retries: 0, logFn() {} }),
  }),
);

app.get('/', (req, res) => {
  req.session.visits = (req.session.visits || 0) + 1;
  const user = req.session.user ? 'signed in' : 'not signed in';
  res.send(`<p>Visits: ${req.session.visits}, ${user}</p>`);
});

app.post('/login', (req, res, next) => {
  req.session.regenerate((error) => {
    if (error) return next(error);
    req.session.user = 'ada'; // an app checks a password first
    req.session.save((failure) => (failure ? next(failure) : res.redirect('/')));
  });
});

app.post('/logout', (req, res, next) => {
  req.session.destroy((error) => (error ? next(error) : res.redirect('/')));
});

const server = app.listen(Number(process.env.PORT || 3000), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
});
