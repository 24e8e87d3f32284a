'use strict';

// An app that keeps its sessions in a file, so that they survive a restart. For one machine.
//
//   SESSION_SECRET=<32 random characters> DATABASE=sessions.db node examples/sqlite/server.js
//
// It needs `express`, and SQLite: Node's own (Node 22.13 or later), or `better-sqlite3`. PORT is 3000 by default;
// 0 takes any free port.

const { isBuiltin } = require('node:module');
const express = require('express');
const session = require('steady-session');
const { SqliteStore } = require('steady-session/sqlite');

const app = express();
app.use(
  session({
    ...session.recommended,
    secret: process.env.SESSION_SECRET,
    store: new SqliteStore({ database: openDatabase(process.env.DATABASE ?? 'sessions.db') }),
  }),
);

app.get('/', (req, res) => {
  req.session.visits = (req.session.visits ?? 0) + 1;
  res.send(`<p>Visits: ${req.session.visits}</p>`);
});

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', (error) => {
  if (error) throw error;
  console.log(`http://127.0.0.1:${server.address().port}`);
});

/** An app knows which of the two it has, and needs one line. */
function openDatabase(file) {
  if (isBuiltin('node:sqlite')) {
    const { DatabaseSync } = require('node:sqlite');
    return new DatabaseSync(file);
  }
  const Database = require('better-sqlite3');
  return new Database(file);
}
