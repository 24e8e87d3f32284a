// The goals, and what a run says of each: `{ what, goal, value, met }`. `value` is undefined for what wasn't measured.
const { scenarios } = require('./scenarios.js');
const { cases } = require('./redis-cases.js');
const { OURS, OURS_RECOMMENDED } = require('./subjects/index.js');

/** At most. Sizes in bytes, times in ms, the rest as a share. */
const MEMORY_STORE = {
  bytesPerSession: 440,
  growth: 2,
  stallMs: 10,
  heldShare: 0.02,
  /** Constant time is too short for this to be noise, and what walks a million sessions is far beyond. */
  lengthMs: 1,
};
const WRITES = 1;

function goalsOf(results) {
  return [
    ...inProcessGoals('CPU', results.time),
    ...inProcessGoals('allocated', results.allocations),
    ...writesGoals(results.allocations),
    ...redisGoals(results.redis),
    ...memoryStoreGoals(results.memoryStores?.[OURS]),
  ].map((goal) => ({ ...goal, met: goal.value <= goal.goal }));
}

function inProcessGoals(kind, measured = {}) {
  return Object.entries(measured).flatMap(([name, subjects]) =>
    [OURS, OURS_RECOMMENDED].map((subject) => ({
      what: `${scenarios[name].title}, ${kind}${subject === OURS ? '' : ', `recommended`'}`,
      goal: scenarios[name].goal,
      value: subjects[subject].ratio.median,
    })),
  );
}

function writesGoals(measured = {}) {
  return Object.entries(measured).map(([name, subjects]) => ({
    what: `${scenarios[name].title}, writes to the socket`,
    goal: WRITES,
    value: Math.max(subjects[OURS].writes, subjects[OURS_RECOMMENDED].writes),
  }));
}

function redisGoals(measured = {}) {
  return Object.entries(measured).map(([name, subjects]) => ({
    what: `Redis, ${cases[name].title}, commands`,
    goal: cases[name].goal,
    value: subjects[OURS].commands,
  }));
}

function memoryStoreGoals(measured) {
  if (!measured) return [];
  const { bytesPerSession, get, set, stallMs, heldShare, lengthMs } = measured;
  const always = [
    { what: 'memory store, bytes per session', goal: MEMORY_STORE.bytesPerSession, value: bytesPerSession },
    { what: 'memory store, get, many against few', goal: MEMORY_STORE.growth, value: get.many / get.few },
    { what: 'memory store, set, many against few', goal: MEMORY_STORE.growth, value: set.many / set.few },
    { what: 'memory store, length(), ms', goal: MEMORY_STORE.lengthMs, value: lengthMs },
  ];
  if (stallMs === undefined) return always;
  return [
    ...always,
    { what: 'memory store, longest stall, ms', goal: MEMORY_STORE.stallMs, value: stallMs },
    { what: 'memory store, memory held at the end', goal: MEMORY_STORE.heldShare, value: heldShare },
  ];
}

module.exports = { goalsOf, MEMORY_STORE, WRITES };
