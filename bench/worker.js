// The process of one subject and one scenario: sets it up, checks that it does its work, and then runs blocks of
// requests whenever the parent (children.js) asks for one.
const assert = require('node:assert/strict');
const { PerformanceObserver, performance } = require('node:perf_hooks');
const { NullSocket, exchange } = require('./exchange.js');
const { cookiesFor } = require('./population.js');
const { options, read, scenarios, seed } = require('./scenarios.js');
const { create } = require('./subjects/index.js');

/** Requests in flight: on a busy server, where cost matters, a turn of the event loop is shared by several. */
const AT_A_TIME = 4;

const [subjectName, scenarioName] = process.argv.slice(2);
const scenario = scenarios[scenarioName];
const sockets = Array.from({ length: AT_A_TIME }, () => new NullSocket());
const writes = () => sockets.reduce((total, socket) => total + socket.writes, 0);
const work = { visit: seed(scenario) };
const { listener, store } = create(subjectName, work, { ...options, ...scenario.options });
let cookies;
let next = 0;
let collections = 0;

const commands = { warmUp, time, allocations };
setUp().then(() => {
  process.on('message', async ([command, ...args]) => process.send(await commands[command](...args)));
  process.send('ready');
});

async function setUp() {
  cookies = await cookiesFor(scenario, listener, sockets[0]);
  if (subjectName !== 'bare') await check();
  work.visit = scenario.visit;
  new PerformanceObserver((list) => {
    collections += list.getEntries().length;
  }).observe({ entryTypes: ['gc'] });
}

/** That a valid cookie finds its session, and another none. */
async function check() {
  const users = [];
  work.visit = (session) => {
    users.push(session.user);
    return false;
  };
  await new Promise((resolve) => exchange(listener, sockets[0], cookies[0], resolve));
  if (scenario.cookie === 'valid') read({ user: users[0] });
  else assert.deepEqual(users, [undefined], `${subjectName} takes a session from nowhere`);
}

// ---- Commands

/** Counts requests, not time: on a busy machine the compiler needs longer. */
async function warmUp(count) {
  await runSome(count);
  await forget();
  return 'warm';
}

/** Runs requests for a while (ms). Answers the CPU time of one (all threads, collection included) in microseconds. */
async function time(duration) {
  global.gc({ type: 'minor' });
  const before = process.cpuUsage();
  const end = performance.now() + duration;
  const requests = await run(() => performance.now() < end);
  global.gc({ type: 'minor' }); // the garbage of a block is part of its cost
  const { user, system } = process.cpuUsage(before);
  await forget();
  return { microseconds: (user + system) / requests };
}

/**
 * Runs `count` requests after half as many that don't count: V8 sets up anew what a full collection has discarded, 0.7 to
 * 1.5 MB, which is nothing that a request allocates. Answers the bytes that one does, on the heap and in buffers, and its
 * writes to the socket. The process has room for the young objects of a whole block, so nothing should be collected
 * meanwhile: `collections` tells.
 */
async function allocations(count) {
  global.gc();
  await observed();
  const collectedBefore = collections;
  await runSome(count / 2);
  const before = { bytes: used(), writes: writes() };
  await runSome(count);
  const after = { bytes: used(), writes: writes() };
  await observed();
  const result = {
    bytes: (after.bytes - before.bytes) / count,
    writes: (after.writes - before.writes) / count,
    collections: collections - collectedBefore,
  };
  await forget();
  return result;
}

function used() {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/**
 * Runs requests as long as `more()`, and answers how many. On each of the sockets it is one after the other, and each
 * begins in a later turn of the event loop, as it does when it comes in.
 */
async function run(more) {
  let requests = 0;
  const keepAsking = (socket) =>
    new Promise((resolve) => {
      const step = () => {
        if (!more()) return resolve();
        requests++;
        next = (next + 1) % cookies.length;
        exchange(listener, socket, cookies[next], again);
      };
      const again = () => setImmediate(step);
      step();
    });
  await Promise.all(sockets.map(keepAsking));
  return requests;
}

async function runSome(count) {
  let left = count;
  await run(() => left-- > 0);
}

/** Logins don't pile up from block to block. */
async function forget() {
  if (scenario.creates) await new Promise((resolve) => store?.clear(resolve) ?? resolve());
}

/** Node.js tells of a collection some turns of the event loop after it. */
async function observed() {
  for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve));
}
