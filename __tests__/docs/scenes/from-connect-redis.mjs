import assert from 'node:assert/strict';
import { RedisStore as ConnectRedis } from 'connect-redis';
import express from 'express';
import expressSession from 'express-session';
import { address, Visitor } from './visitor.mjs';

// <from-connect-redis>

const before = expressSession({
  secret: process.env.SESSION_SECRET,
  resave: false,
  saveUninitialized: false,
  store: new ConnectRedis({ client, prefix: 'myapp:' }),
});
const start = (middleware) => {
  const app = express();
  app.use(middleware);
  app.get('/', (req, res) => {
    req.session.views = (req.session.views ?? 0) + 1;
    res.send(`${req.session.views}`);
  });
  return app.listen(3000);
};
const [old, migrated] = await Promise.all([address(start(before)), address(start(sessions))]);

const visitor = new Visitor(old);
assert.equal(await visitor.text('/'), '1');
const later = new Visitor(migrated);
later.cookies = visitor.cookies;
assert.equal(await later.text('/'), '2');
assert.equal(await visitor.text('/'), '3');
client.destroy();
