'use strict';

// An app that keeps its sessions in MongoDB, in a store of its own: see store.js.
//
//   SESSION_SECRET=<32 random characters> MONGODB_URL=mongodb://127.0.0.1/app node examples/custom-store-mongodb/server.js
//
// It needs `express` and `mongodb`. PORT is 3000 by default; 0 takes any free port.

const express = require('express');
const { MongoClient } = require('mongodb');
const session = require('steady-session');
const { MongoStore } = require('./store.js');

start();

async function start() {
  // Without it, visitors would wait for half a minute while the database is out of reach.
  const client = new MongoClient(process.env.MONGODB_URL, { serverSelectionTimeoutMS: 5000 });
  const store = new MongoStore(client.db().collection('sessions'));
  await store.createIndex();

  const app = express();
  app.use(session({ ...session.recommended, secret: process.env.SESSION_SECRET, store }));
  app.get('/', countVisit);

  const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', (error) => {
    if (error) throw error;
    console.log(`http://127.0.0.1:${server.address().port}`);
  });
}

/** By `update()`, which counts each of two visits at the same moment, also in two processes. */
async function countVisit(req, res) {
  const visits = await req.session.update((data) => {
    data.visits = (data.visits ?? 0) + 1;
    return data.visits;
  });
  res.send(`<p>Visits: ${visits}</p>`);
}
