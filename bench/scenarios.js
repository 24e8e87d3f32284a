// What the requests of a run do. `visit(session)` is the app's part: it answers whether it changed the session. Without
// one the app never looks at it. `goal` is the most that we may cost, as a share of what express-session costs.
/** About 200 bytes of JSON, with the cookie that the middleware adds. */
const SMALL = {
  user: { id: 1234567, name: 'Ada Lovelace', roles: ['editor', 'reviewer'] },
  csrf: 'pbAzlIzXJTKTxVZ8k3Ui2g',
  views: 1,
};

/** About 1 KB of JSON for eight of them: a cart, a cached profile, the results of a search. */
const ITEMS = Array.from({ length: 450 }, (_, id) => ({
  id,
  title: `Item ${id}: ${'lorem ipsum '.repeat(8)}`,
}));

const read = (session) => {
  if (session.user.name !== SMALL.user.name) throw new Error('This is not the session that was stored.');
  return false;
};

const change = (session) => {
  session.views++;
  return true;
};

const fill = (data) => (session) => {
  Object.assign(session, data);
  return true;
};

const scenarios = {
  'no-cookie': { title: 'no cookie, session untouched', cookie: 'none', goal: 0.15 },
  read: { title: 'valid cookie, read', cookie: 'valid', visit: read, goal: 0.35 },
  untouched: { title: 'valid cookie, session never looked at', cookie: 'valid', goal: 0.35 },
  change: { title: 'valid cookie, one value changed', cookie: 'valid', visit: change, goal: 0.35 },
  forged: { title: 'forged cookie', cookie: 'forged', goal: 0.3 },
  login: {
    title: 'new session on each request',
    cookie: 'none',
    visit: fill(SMALL),
    creates: true,
    goal: 0.4,
  },
  rolling: { title: 'rolling, read', cookie: 'valid', visit: read, options: { rolling: true }, goal: 0.4 },
  'large-read': { title: '50 KB session, read', cookie: 'valid', visit: read, large: true, goal: 0.4 },
  'large-change': { title: '50 KB session, changed', cookie: 'valid', visit: change, large: true, goal: 0.4 },
};

/** The options that every subject gets, as far as it has them. */
const options = {
  secret: 'a secret that is long enough for a key',
  resave: false,
  saveUninitialized: false,
};

/** Puts a scenario's data into a session, for the requests that make its sessions. */
const seed = ({ large }) => (large ? fillWithItems() : fill(SMALL));

/**
 * 45 to 57 KB, 51 KB on average. Were all of one size, the garbage of a request could come to just one of V8's pages,
 * and what doesn't fit in there would count as much as all the rest.
 */
function fillWithItems() {
  let made = 0;
  return (session) => fill({ ...SMALL, items: ITEMS.slice(0, 350 + ((made++ * 37) % 101)) })(session);
}

module.exports = { scenarios, options, seed, read };
