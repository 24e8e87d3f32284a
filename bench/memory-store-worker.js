// The process of one memory store (memory-stores.js starts it): fills it, asks it, and lets everything in it expire. It is
// called by express-session's contract, with callbacks.
const { Cookie, MemoryStore } = require('express-session');
const memorystore = require('memorystore')(require('express-session'));
const { monitorEventLoopDelay, performance } = require('node:perf_hooks');
const { session } = require('./build.js');
const { median } = require('./statistics.js');

const JSON_BYTES = 284;
const HOUR = 60 * 60 * 1000;
const MINUTE = 60 * 1000;
const ROUNDS = 50;
/** memorystore looks for expired sessions this often. */
const CHECK_PERIOD = 10_000;
/** How long the loop is watched before the sessions begin to expire, to see what the machine itself stalls. */
const MARGIN = 5000;
/**
 * How long nothing happens before that. Where little goes on, V8 collects up to three times more within half a minute of a full
 * collection (its MemoryReducer), and stalls a process with a million of anything for 10 to 16 ms. Our own calls of `gc()`, of which
 * the last one comes just before, are no part of what expiry costs.
 */
const SETTLING = 40_000;

const stores = {
  'express-session': () => new MemoryStore(),
  memorystore: () => new memorystore({ checkPeriod: CHECK_PERIOD }),
  'steady-session': () => new session.MemoryStore(),
};
/** Looks for nothing by itself, so while its sessions expire there is nothing to watch. */
const NEVER_SWEEPS = 'express-session';

const [subject, sessions, fewSessions] = process.argv.slice(2);
const makeStore = stores[subject];
const count = Number(sessions);
const fewCount = Number(fewSessions);

process.on('message', async ([what]) => process.send(await measure({ expiry: what === 'all' })));

async function measure({ expiry }) {
  const few = makeStore();
  await fill(few, fewCount, HOUR);

  const before = usedMemory();
  const many = makeStore();
  const start = performance.now();
  await fill(many, count, HOUR);
  const fillTime = performance.now() - start;
  const bytesPerSession = (usedMemory() - before) / count;

  const access = await compareAccess(few, many);
  const lengthMs = await timeLength(few, many);
  if (!expiry) return { bytesPerSession, ...access, lengthMs };
  await call(many, 'clear');
  return { bytesPerSession, ...access, lengthMs, ...(await measureExpiry(many, before, fillTime)) };
}

// ---- get and set

/** The median time of a call in ns, at few and at many sessions, in turn. */
async function compareAccess(few, many) {
  const operations = {
    get: (store, id) => store.get(id, ignore),
    set: (store, id, session) => store.set(id, session, ignore),
  };
  const result = {};
  for (const [name, operation] of Object.entries(operations)) {
    const times = { few: [], many: [] };
    for (let round = 0; round < ROUNDS; round++) {
      times.few.push(await nanoseconds(few, fewCount, operation));
      times.many.push(await nanoseconds(many, count, operation));
    }
    result[name] = { few: median(times.few), many: median(times.many) };
  }
  return result;
}

/**
 * Per call, callbacks included, for sessions picked at random; their ids are fresh strings, as out of a header. Each store
 * collects its own garbage: left to itself, the collector would run in the turns of one of them.
 */
async function nanoseconds(store, stored, operation) {
  const picks = Array.from({ length: 1000 }, () => Math.floor(Math.random() * stored));
  const ids = picks.map(idOf);
  const written = picks.map((pick) => sessionOf(pick, HOUR));
  global.gc({ type: 'minor' });
  const start = performance.now();
  for (let i = 0; i < ids.length; i++) operation(store, ids[i], written[i]);
  await turn();
  global.gc({ type: 'minor' });
  return ((performance.now() - start) * 1e6) / ids.length;
}

/** The first calls are slower, as everywhere: they go to the store with few sessions. */
async function timeLength(few, many) {
  for (let calls = 0; calls < 20; calls++) await call(few, 'length');
  const start = performance.now();
  await call(many, 'length');
  return performance.now() - start;
}

// ---- Expiry

/** Fills the store with sessions that expire evenly within a minute, and lets nobody ask for them again. */
async function measureExpiry(store, before, fillTime) {
  const start = Date.now() + 2 * fillTime + SETTLING + MARGIN;
  const within = subject === NEVER_SWEEPS ? 1000 : MINUTE;
  await fill(store, count, (i) => start + (i * within) / count - Date.now());
  const peak = usedMemory() - before;
  await until(start - MARGIN);
  const idleStallMs = await longestStall(start - 100);
  const stallMs = await longestStall(start + within + CHECK_PERIOD + 1000);
  return { idleStallMs, stallMs, heldShare: (usedMemory() - before) / peak };
}

/** The longest time that the event loop did not turn, in ms. */
async function longestStall(end) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await until(end);
  delay.disable();
  return delay.max / 1e6 - 1; // the timer that it measures with takes 1 ms itself
}

// ---- Sessions

async function fill(store, wanted, lifetime) {
  for (let i = 0; i < wanted; i++) {
    store.set(idOf(i), sessionOf(i, typeof lifetime === 'function' ? lifetime(i) : lifetime), ignore);
    if (i % 1000 === 999) await turn();
  }
  await turn();
}

/** The i-th id: 32 characters that look random, the same each time. */
function idOf(i) {
  const bytes = Buffer.alloc(24);
  let word = i + 1;
  for (let at = 0; at < 24; at += 4) {
    word = Math.imul(word ^ (word >>> 15), 0x2c1b3c6d) + at;
    bytes.writeInt32LE(at === 8 ? i : word | 0, at);
  }
  return bytes.toString('base64url');
}

function sessionOf(i, maxAge) {
  const session = {
    cookie: new Cookie({ maxAge }),
    user: { id: 10_000_000 + i, name: 'Ada Lovelace' },
    note: '',
  };
  session.cookie.originalMaxAge = HOUR;
  session.note = 'x'.repeat(JSON_BYTES - JSON.stringify(session).length);
  return session;
}

// ---- Helpers

/** Bytes on the heap and in typed arrays, after collection. */
function usedMemory() {
  global.gc();
  global.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function call(store, method) {
  return new Promise((resolve, reject) => {
    store[method]((error, value) => (error ? reject(error) : resolve(value)));
  });
}

function turn() {
  return new Promise((resolve) => setImmediate(resolve));
}

function until(time) {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, time - Date.now())));
}

function ignore() {}
