'use strict';

// An app that keeps its sessions in Redis by way of connect-redis, as it did with express-session.
//
//   SESSION_SECRET=<32 random characters> REDIS_URL=redis://127.0.0.1:6379 node examples/connect-redis/server.js
//
// It needs `express`, `redis` and `connect-redis`. PORT is 3000 by default; 0 takes any free port.

const { RedisStore } = require('connect-redis');
const express = require('express');
const { createClient } = require('redis');
const session = require('steady-session');

start();

async function start() {
  const client = createClient({ url: process.env.REDIS_URL });
  client.on('error', console.error); // it reconnects by itself
  await client.connect();

  const app = express();
  app.use(
    session({
      ...session.recommended,
      secret: process.env.SESSION_SECRET,
      store: new RedisStore({ client }),
    }),
  );
  app.get('/', countVisit);

  const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', (error) => {
    if (error) throw error;
    console.log(`http://127.0.0.1:${server.address().port}`);
  });
}

function countVisit(req, res) {
  req.session.visits = (req.session.visits ?? 0) + 1;
  res.send(`<p>Visits: ${req.session.visits}</p>`);
}
