// The benchmark. docs/performance.md tells how it measures.
//
//   npm run bench                      under two minutes; prints tables
//   npm run bench:full                 ten minutes; and saves them as bench/results.json, docs/performance.{md,svg}
//   node bench/run.js [--full] [--save] [--json] [--parts=in-process,redis,memory,end-to-end]
//   node bench/run.js --saved --save   measures nothing; writes the page and the chart from bench/results.json
//
// For a quick look at one scenario there is bench/quick.js, for CI bench/check.js.
const { parseArgs } = require('node:util');
const endToEnd = require('./end-to-end.js');
const inProcess = require('./in-process.js');
const { machine, packages } = require('./machine.js');
const memoryStores = require('./memory-stores.js');
const { measureRedis } = require('./redis.js');
const { print, save, savedResults } = require('./report.js');
const { scenarios } = require('./scenarios.js');

const PARTS = ['in-process', 'redis', 'memory', 'end-to-end'];

const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
    saved: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    parts: { type: 'string', default: PARTS.join() },
  },
});

main();

async function main() {
  const parts = values.parts.split(',');
  const unknown = parts.filter((part) => !PARTS.includes(part));
  if (unknown.length > 0)
    throw new Error(`Unknown part ${unknown.join(', ')}. There are: ${PARTS.join(', ')}.`);
  if (values.save && parts.length < PARTS.length) throw new Error('Only a run of all parts can be saved.');

  const results = values.saved ? savedResults() : await measure(parts, values.full ? 'FULL' : 'SHORT');
  if (values.json) console.log(JSON.stringify(results, null, 2));
  else print(results);
  if (values.save) save(results);
}

async function measure(parts, size) {
  const settings = {
    mode: size.toLowerCase(),
    inProcess: inProcess[size],
    memoryStores: memoryStores[size],
    endToEnd: endToEnd[size],
  };
  const results = { machine: machine(), packages: packages(), settings };
  if (parts.includes('in-process')) Object.assign(results, await measureInProcess(settings.inProcess));
  if (parts.includes('redis')) results.redis = await measureRedis();
  if (parts.includes('end-to-end')) results.endToEnd = await endToEnd.measureEndToEnd(settings.endToEnd);
  if (parts.includes('memory'))
    results.memoryStores = await memoryStores.measureMemoryStores(settings.memoryStores);
  return results;
}

async function measureInProcess(settings) {
  const time = {};
  const allocations = {};
  for (const name of Object.keys(scenarios)) {
    progress(scenarios[name].title);
    time[name] = await inProcess.measureTime(name, settings);
    allocations[name] = await inProcess.measureAllocations(name, settings);
  }
  return { time, allocations };
}

function progress(what) {
  if (process.stderr.isTTY) process.stderr.write(`${what}\n`);
}
