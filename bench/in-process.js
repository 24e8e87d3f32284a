// What a request costs in CPU time and in bytes allocated, beyond what it costs without sessions. Every ratio is one of
// costs that were measured within the same round, so that a machine that is slow for a while is slow for all.
const { FOR_ALLOCATIONS, FOR_TIME, withWorkers } = require('./children.js');
const { costs } = require('./costs.js');
const { scenarios } = require('./scenarios.js');
const { shuffled } = require('./statistics.js');
const { namesFor, subjectOf, OURS, OURS_RECOMMENDED } = require('./subjects/index.js');

/**
 * How much of it all. `processes`: how often all of them are started anew; `block` in ms; `countOthers`: whether
 * allocations are counted of more than express-session and ours.
 */
const SHORT = { processes: 1, rounds: 15, block: 20, allocationRounds: 3, countOthers: false };
const FULL = { processes: 2, rounds: 25, block: 50, allocationRounds: 7, countOthers: true };

/** Requests by which all that is worth compiling is compiled. */
const WARM_UP = { small: 15_000, large: 500, slow: 800 };
/** Requests in a block in which nothing may be collected. */
const COUNTED = { small: 8000, large: 200, slow: 500 };

/**
 * The cost of each subject in a scenario: `{ [subject]: { cost, ratio } }`, both with quartiles; `cost` in microseconds,
 * `ratio` that to the cost of express-session.
 */
async function measureTime(name, settings, wanted) {
  const names = namesFor(scenarios[name], wanted);
  const rounds = [];
  for (let start = 0; start < settings.processes; start++) {
    const more = await withWorkers(names, name, FOR_TIME, (workers) => timeRounds(workers, name, settings));
    rounds.push(...more);
  }
  return costs(rounds);
}

async function timeRounds(workers, name, { rounds, block }) {
  await Promise.all([...workers].map(([subject, worker]) => warmUp(worker, subject, name)));
  const results = [];
  for (let round = 0; round < rounds; round++) {
    const result = {};
    for (const subject of shuffled(workers.keys())) {
      result[subject] = (await workers.get(subject).ask('time', block)).microseconds;
    }
    results.push(result);
  }
  return results;
}

/** As `measureTime`; `cost` in bytes, and with `writes`, the writes to the socket per response. */
async function measureAllocations(
  name,
  settings,
  wanted = settings.countOthers ? undefined : [OURS, OURS_RECOMMENDED],
) {
  const names = namesFor(scenarios[name], wanted);
  const blocks = await withWorkers(names, name, FOR_ALLOCATIONS, (workers) =>
    Promise.all(names.map((subject) => countBlocks(workers.get(subject), subject, name, settings))),
  );
  const rounds = Array.from({ length: settings.allocationRounds }, (_, round) =>
    Object.fromEntries(names.map((subject, index) => [subject, blocks[index][round].bytes])),
  );
  const results = costs(rounds);
  names.forEach((subject, index) => {
    results[subject].writes = blocks[index][0].writes;
  });
  return results;
}

/** A block in which something was collected doesn't count. */
async function countBlocks(worker, subject, name, { allocationRounds }) {
  await warmUp(worker, subject, name);
  const blocks = [];
  let requests = COUNTED[sizeOf(subject, name)];
  while (blocks.length < allocationRounds) {
    const block = await worker.ask('allocations', requests);
    if (block.collections === 0) blocks.push(block);
    else requests = Math.ceil(requests / 2);
  }
  return blocks;
}

function warmUp(worker, subject, name) {
  return worker.ask('warmUp', WARM_UP[sizeOf(subject, name)]);
}

function sizeOf(subject, name) {
  if (subjectOf(subject).slow) return 'slow';
  return scenarios[name].large ? 'large' : 'small';
}

module.exports = { measureTime, measureAllocations, SHORT, FULL };
