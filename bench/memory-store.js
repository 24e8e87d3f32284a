// What a memory store costs at a million sessions, side by side: ours, express-session's, memorystore.
//
//   npm run build && node --expose-gc bench/memory-store.js [--sessions 1000000] [--expire-within 60]
//
// Each subject runs in a process of its own, one after the other. All are called the same way: express-session's
// contract, by callback. "ours, text" is the SessionStore contract of the same store.
const { fork } = require('node:child_process');
const { monitorEventLoopDelay, performance } = require('node:perf_hooks');
const { parseArgs } = require('node:util');

const JSON_BYTES = 284;
const HOUR = 60 * 60 * 1000;
const FEW = 1000;

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
    return new MemoryStore({ checkPeriod: 10_000 });
  },
};

const { values: args, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sessions: { type: 'string', default: '1000000' },
    'expire-within': { type: 'string', default: '60' },
  },
});
const settings = { sessions: Number(args.sessions), expireWithin: Number(args['expire-within']) };

if (process.send) measure(positionals[0]).then((result) => process.send(result, () => process.exit()));
else compare();

async function compare() {
  const results = {};
  for (const name of Object.keys(subjects)) results[name] = await measureInChild(name);
  print(results);
}

function measureInChild(name) {
  return new Promise((resolve, reject) => {
    const child = fork(__filename, [name, ...process.argv.slice(2)], { execArgv: ['--expose-gc', '--max-old-space-size=8000'] });
    child.once('message', resolve);
    child.once('exit', (code) => code && reject(new Error(`${name} ended with code ${code}`)));
  });
}

async function measure(name) {
  const { sessions } = settings;
  const result = {};
  Object.assign(result, await measureAccess(subjects[name](), FEW, 'few'));

  const store = subjects[name]();
  const before = usedMemory();
  await fill(store, sessions, HOUR);
  result.bytesPerSession = (usedMemory() - before) / sessions;
  Object.assign(result, await measureAccess(store, sessions, 'many'));
  result.lengthMs = await timed(() => call(store, 'length'));
  await call(store, 'clear');

  await measureExpiry(store, before, result);
  return result;
}

// ---- get and set

async function measureAccess(store, count, suffix) {
  if (count === FEW) await fill(store, count, HOUR);
  const sets = [];
  const gets = [];
  const reads = [];
  for (let round = 0; round < 41; round++) {
    gets.push(await nanoseconds(count, (id) => store.get(id, noop)));
    sets.push(await nanoseconds(count, (id, session) => store.set(id, session, noop)));
    if (store.records) reads.push(await nanoseconds(count, (id) => store.records.read(id)));
  }
  return {
    [`get_${suffix}`]: median(gets),
    [`set_${suffix}`]: median(sets),
    [`read_${suffix}`]: store.records && median(reads),
  };
}

/** Per call, callbacks included: a thousand sessions picked at random, their ids fresh strings as out of a header. */
async function nanoseconds(count, operation) {
  const picks = Array.from({ length: 1000 }, () => Math.floor(Math.random() * count));
  const ids = picks.map(idOf);
  const sessions = picks.map((pick) => sessionOf(pick, Date.now() + HOUR));
  const start = performance.now();
  for (let i = 0; i < ids.length; i++) operation(ids[i], sessions[i]);
  await turn();
  return ((performance.now() - start) * 1e6) / ids.length;
}

// ---- Expiry

async function measureExpiry(store, before, result) {
  const { sessions, expireWithin } = settings;
  const start = Date.now() + 30_000;
  await fill(store, sessions, (i) => start + ((i * expireWithin * 1000) / sessions) - Date.now());
  const peak = usedMemory() - before;
  await until(start);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await until(start + expireWithin * 1000 + 11_000);
  delay.disable();
  result.stallMs = delay.max / 1e6 - 1;
  result.heldPercent = (100 * (usedMemory() - before)) / peak;
}

// ---- Sessions

async function fill(store, count, lifetime) {
  for (let i = 0; i < count; i++) {
    const ms = typeof lifetime === 'function' ? lifetime(i) : lifetime;
    store.set(idOf(i), sessionOf(i, Date.now() + ms), noop);
    if (i % 1000 === 999) await turn();
  }
  await turn();
}

/** The i-th id: 32 characters that look random, the same each time. */
function idOf(i) {
  const bytes = Buffer.alloc(24);
  let word = i + 1;
  for (let at = 0; at < 24; at += 4) {
    word = Math.imul(word ^ (word >>> 15), 0x2c1b3c6d) ^ Math.imul(at + 1, 0x297a2d39);
    bytes.writeInt32LE(word | 0, at);
  }
  bytes.writeUInt32LE(i, 8);
  return bytes.toString('base64url');
}

function sessionOf(i, expires) {
  const cookie = { originalMaxAge: HOUR, expires: new Date(expires), httpOnly: true, path: '/' };
  const session = { cookie, user: { id: 10_000_000 + i, name: 'Ada Lovelace' }, note: '' };
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

function noop() {}

function print(results) {
  const { sessions, expireWithin } = settings;
  const rows = {
    'bytes per session': (r) => r.bytesPerSession.toFixed(0),
    'get, ns, at 1 thousand': (r) => r.get_few.toFixed(0),
    [`get, ns, at ${sessions}`]: (r) => `${r.get_many.toFixed(0)} (${(r.get_many / r.get_few).toFixed(2)}x)`,
    'set, ns, at 1 thousand': (r) => r.set_few.toFixed(0),
    [`set, ns, at ${sessions}`]: (r) => `${r.set_many.toFixed(0)} (${(r.set_many / r.set_few).toFixed(2)}x)`,
    'length(), ms': (r) => r.lengthMs.toFixed(2),
    [`longest stall, ms, all expiring within ${expireWithin} s`]: (r) => r.stallMs.toFixed(1),
    'memory held afterwards, %': (r) => r.heldPercent.toFixed(2),
  };
  const table = {};
  for (const [row, cell] of Object.entries(rows)) {
    table[row] = Object.fromEntries(Object.entries(results).map(([name, result]) => [name, cell(result)]));
  }
  console.log(`node ${process.version}, ${sessions} sessions of ${JSON_BYTES} bytes of JSON`);
  console.table(table);
}
