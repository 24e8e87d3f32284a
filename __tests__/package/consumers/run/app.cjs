// An app written for express-session, with passport and one of the stores made for it.
// Usage: node app.cjs STORE [ADDRESS]. Prints one line of JSON when it listens, and ends when its input ends.
const express = require('express');
const session = require('express-session');
const passport = require('passport');
const { Strategy: LocalStrategy } = require('passport-local');

const [, , storeName, address] = process.argv;

const stores = {
  MemoryStore: () => new session.MemoryStore(),
  memorystore: () => new (require('memorystore')(session))({ checkPeriod: 60_000 }),
  'session-file-store': () => new (require('session-file-store')(session))({ path: address, logFn() {} }),
  'connect-pg-simple': () => {
    const PgStore = require('connect-pg-simple')(session);
    return new PgStore({ conString: address, createTableIfMissing: true });
  },
  'connect-redis': async () => {
    const { RedisStore } = require('connect-redis');
    const client = require('redis').createClient({ url: address });
    await client.connect();
    return new RedisStore({ client });
  },
};

passport.use(
  new LocalStrategy((username, password, done) => {
    done(null, password === 'correct' ? { id: username } : false);
  }),
);
passport.serializeUser((user, done) => done(null, user.id));
passport.deserializeUser((id, done) => done(null, { id }));

void start();

async function start() {
  const store = await stores[storeName]();
  const app = express();
  app.use(express.json());
  app.use(session({ secret: 'for a test only', store, resave: false, saveUninitialized: false }));
  app.use(passport.session());

  app.post('/login', passport.authenticate('local'), (req, res) => res.json(req.user));
  app.get('/me', (req, res) => res.json({ user: req.user?.id ?? null }));
  app.post('/visits', (req, res) => {
    req.session.visits = (req.session.visits ?? 0) + 1;
    res.json({ visits: req.session.visits });
  });
  app.get('/stored', (req, res, next) => {
    req.sessionStore.get(req.sessionID, (error, stored) => {
      if (error) return next(error);
      res.json({ visits: stored?.visits ?? null, user: stored?.passport?.user ?? null });
    });
  });
  app.post('/logout', (req, res, next) => {
    req.logout((error) => (error ? next(error) : res.json({ user: req.user ?? null })));
  });

  const server = app.listen(0, '127.0.0.1', () => {
    const { name } = require('express-session/package.json');
    console.log(
      JSON.stringify({ port: server.address().port, package: name, store: store.constructor.name }),
    );
  });
  process.stdin.resume().on('end', () => process.exit());
}
