'use strict';

// Checks store.js against the contract, on the MongoDB server that you name:
//
//   MONGODB_URL=mongodb://127.0.0.1/test node --test examples/custom-store-mongodb/conformance.test.js
//
// It needs `mongodb`, and uses two collections of its own, which it drops in the end.

const { randomUUID } = require('node:crypto');
const { after, before, test } = require('node:test');
const { conformance } = require('steady-session/conformance');
const { MongoStore } = require('./store.js');

const url = process.env.MONGODB_URL;

if (url) check(url);
else test('conformance', { skip: 'MONGODB_URL does not name a MongoDB server to run it on' }, () => {});

function check(url) {
  const { MongoClient } = require('mongodb');
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 5000 });
  const [sessions, others] = [1, 2].map(() => client.db().collection(`conformance-${randomUUID()}`));

  before(() => new MongoStore(sessions).createIndex());
  after(async () => {
    await Promise.all([sessions.drop(), others.drop()]);
    await client.close();
  });

  conformance({
    test,
    store: () => new MongoStore(sessions),
    second: () => new MongoStore(sessions),
    separate: () => new MongoStore(others),
  });
}
