'use strict';

// An app that keeps its sessions in Redis, where writes are atomic: any number of processes may run it, and none
// loses another's change.
//
//   SESSION_SECRET=<32 random characters> REDIS_URL=redis://127.0.0.1:6379 node examples/redis/server.js
//
// It needs `express` and `redis`. PORT is 3000 by default; 0 takes any free port. It goes on with the sessions that
// the example connect-redis has stored, and the other way round.

const express = require('express');
const { createClient } = require('redis');
const session = require('steady-session');
const { RedisStore } = require('steady-session/redis');

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

/** By `update()`, which counts each of two visits at the same moment, also in two processes. */
async function countVisit(req, res) {
  const visits = await req.session.update((data) => {
    data.visits = (data.visits ?? 0) + 1;
    return data.visits;
  });
  res.send(`<p>Visits: ${visits}</p>`);
}
