// What a memory store costs at a million sessions, side by side: ours, express-session's, memorystore.
//
//   npm run build && node bench/memory-store.js [--sessions 1000000] [--expire-within 60] [--json]
//
// Each subject runs in a process of its own, one after the other, and is called by express-session's contract, with
// callbacks. A busy machine shows in the row of the idle stall.
const { fork } = require('node:child_process');
const { monitorEventLoopDelay, performance } = require('node:perf_hooks');
const { parseArgs } = require('node:util');
const { Cookie } = require('express-session');

const JSON_BYTES = 284;
const HOUR = 60 * 60 * 1000;
const FEW = 1000;
const ROUNDS = 100;
/** memorystore looks for expired sessions this often. */
const CHECK_PERIOD = 10_000;

const subjects = {
  ours() {
    const { MemoryStore } = require('../dist/index.js');
    return new MemoryStore();
  },
  'express-session'() {
    const { MemoryStore } = require('express-session');
    return new MemoryStore();
  },
  memorystore() {
    const MemoryStore = require('memorystore')(require('express-session'));
    return new MemoryStore({ checkPeriod: CHECK_PERIOD });
  },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sessions: { type: 'string', default: '1000000' },
    'expire-within': { type: 'string', default: '60' },
    json: { type: 'boolean', default: false },
  },
});
const sessions = Number(values.sessions);
const expireWithin = 1000 * Number(values['expire-within']);

if (process.send)
  measure(subjects[positionals[0]]).then((result) => process.send(result, () => process.exit()));
else compare();

async function compare() {
  const results = {};
  for (const name of Object.keys(subjects)) results[name] = await measureInChild(name);
  if (values.json)
    console.log(JSON.stringify({ node: process.version, sessions, expireWithin, results }, null, 2));
  else print(results);
}

function measureInChild(name) {
  return new Promise((resolve, reject) => {
    const execArgv = ['--expose-gc', '--max-old-space-size=8000'];
    const child = fork(__filename, [name, ...process.argv.slice(2)], { execArgv });
    child.once('message', resolve);
    child.once('exit', (code) => code && reject(new Error(`${name} ended with code ${code}`)));
  });
}

async function measure(makeStore) {
  const result = {};
  const few = makeStore();
  await fill(few, FEW, HOUR);

  const before = usedMemory();
  const many = makeStore();
  const start = performance.now();
  await fill(many, sessions, HOUR);
  const fillTime = performance.now() - start;
  result.bytesPerSession = (usedMemory() - before) / sessions;

  Object.assign(result, await compareAccess(few, many));
  result.lengthMs = await timed(() => call(many, 'length'));
  await call(many, 'clear');
  Object.assign(result, await measureExpiry(many, before, fillTime));
  return result;
}

// ---- get and set

/** The median time of a call in ns, at few and at many sessions, in turn. */
async function compareAccess(few, many) {
  const operations = {
    get: (store, id) => store.get(id, ignore),
    set: (store, id, session) => store.set(id, session, ignore),
    ...(few.records && { read: (store, id) => store.records.read(id) }),
  };
  const result = {};
  for (const [name, operation] of Object.entries(operations)) {
    const times = { few: [], many: [] };
    for (let round = 0; round < ROUNDS; round++) {
      times.few.push(await nanoseconds(few, FEW, operation));
      times.many.push(await nanoseconds(many, sessions, operation));
    }
    result[name] = { few: median(times.few), many: median(times.many) };
  }
  return result;
}

/** Per call, callbacks included, for sessions picked at random; their ids are fresh strings, as out of a header. */
async function nanoseconds(store, count, operation) {
  const picks = Array.from({ length: 1000 }, () => Math.floor(Math.random() * count));
  const ids = picks.map(idOf);
  const written = picks.map((pick) => sessionOf(pick, HOUR));
  const start = performance.now();
  for (let i = 0; i < ids.length; i++) operation(store, ids[i], written[i]);
  await turn();
  return ((performance.now() - start) * 1e6) / ids.length;
}

// ---- Expiry

/** Fills the store with sessions that expire evenly over a while, and lets nobody ask for them again. */
async function measureExpiry(store, before, fillTime) {
  const start = Date.now() + 2 * fillTime + 10_000;
  await fill(store, sessions, (i) => start + (i * expireWithin) / sessions - Date.now());
  const peak = usedMemory() - before;
  await until(start - 5000);
  const idleStallMs = await longestStall(start - 100);
  const stallMs = await longestStall(start + expireWithin + CHECK_PERIOD + 1000);
  return { idleStallMs, stallMs, heldPercent: (100 * (usedMemory() - before)) / peak };
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

async function fill(store, count, lifetime) {
  for (let i = 0; i < count; i++) {
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

async function timed(operation) {
  const start = performance.now();
  await operation();
  return performance.now() - start;
}

function turn() {
  return new Promise((resolve) => setImmediate(resolve));
}

function until(time) {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, time - Date.now())));
}

function median(numbers) {
  return numbers.sort((a, b) => a - b)[numbers.length >> 1];
}

function ignore() {}

// ---- The table

function print(results) {
  const access = (name) => (result) => {
    if (!result[name]) return '';
    const { few, many } = result[name];
    return `${few.toFixed(0)} -> ${many.toFixed(0)} (${(many / few).toFixed(1)}x)`;
  };
  const rows = {
    'bytes per session': (result) => result.bytesPerSession.toFixed(0),
    [`get, ns, ${FEW} -> ${sessions} sessions`]: access('get'),
    [`set, ns, ${FEW} -> ${sessions} sessions`]: access('set'),
    'the look-up alone, ns': access('read'),
    'length(), ms': (result) => result.lengthMs.toFixed(2),
    'longest stall, ms, idle': (result) => result.idleStallMs.toFixed(1),
    [`longest stall, ms, all expiring within ${expireWithin / 1000} s`]: (result) =>
      result.stallMs.toFixed(1),
    'memory held afterwards, %': (result) => result.heldPercent.toFixed(2),
  };
  const table = {};
  for (const [row, cell] of Object.entries(rows)) {
    table[row] = Object.fromEntries(Object.entries(results).map(([name, result]) => [name, cell(result)]));
  }
  console.log(`Node ${process.version}, ${sessions} sessions of ${JSON_BYTES} bytes of JSON each`);
  console.table(table);
}
