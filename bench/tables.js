// The results as tables: `{ title, note, head, rows }`, all of it text, for the terminal and for docs/performance.md.
const { paths } = require('./end-to-end.js');
const { goalsOf, MEMORY_STORE, WRITES } = require('./goals.js');
const { FEW } = require('./memory-stores.js');
const { cases } = require('./redis-cases.js');
const { scenarios } = require('./scenarios.js');
const { OURS, OURS_RECOMMENDED, REFERENCE, REFERENCE_AGAIN } = require('./subjects/index.js');

const OTHERS = ['memorystore', 'cookie-session', 'iron-session'];

function tablesOf(results) {
  const { time, allocations, redis, memoryStores, endToEnd } = results;
  return [
    time && costTable('CPU time per request', time, microseconds),
    allocations && costTable('Bytes allocated per request', allocations, kilobytes),
    allocations && writesTable(allocations),
    time && othersTable(time),
    redis && redisTable(redis),
    memoryStores && memoryStoreTable(memoryStores, results.settings.memoryStores.sessions),
    endToEnd && endToEndTable(endToEnd),
  ].filter(Boolean);
}

function costTable(title, measured, amount) {
  return {
    title,
    head: [
      '',
      REFERENCE,
      'ours',
      'ratio',
      '`recommended`',
      'ratio',
      'goal',
      'met',
      'express-session to itself',
    ],
    rows: Object.entries(measured).map(([name, subjects]) => {
      const ours = subjects[OURS];
      const recommended = subjects[OURS_RECOMMENDED];
      const { title, goal } = scenarios[name];
      return [
        title,
        amount(subjects[REFERENCE].cost.median),
        amount(ours.cost.median),
        spread(ours.ratio),
        amount(recommended.cost.median),
        spread(recommended.ratio),
        goal.toFixed(2),
        metBoth(ours.ratio.median <= goal, recommended.ratio.median <= goal),
        subjects[REFERENCE_AGAIN] ? spread(subjects[REFERENCE_AGAIN].ratio) : '',
      ];
    }),
  };
}

function metBoth(ours, recommended) {
  if (ours === recommended) return yesOrNo(ours);
  return ours ? 'default only' : '`recommended` only';
}

function writesTable(measured) {
  return {
    title: 'Writes to the socket per response',
    head: ['', REFERENCE, 'ours', '`recommended`', 'goal'],
    rows: Object.entries(measured).map(([name, subjects]) => [
      scenarios[name].title,
      ...[REFERENCE, OURS, OURS_RECOMMENDED].map((subject) => `${subjects[subject].writes}`),
      `${WRITES}`,
    ]),
  };
}

function othersTable(measured) {
  return {
    title: 'Others, CPU time as a ratio to express-session',
    head: ['', ...OTHERS],
    rows: Object.entries(measured).map(([name, subjects]) => [
      scenarios[name].title,
      ...OTHERS.map((subject) => (subjects[subject] ? spread(subjects[subject].ratio) : '')),
    ]),
  };
}

function redisTable(measured) {
  return {
    title: 'Redis, per request',
    head: ['', 'connect-redis', 'ours', 'goal', 'met', 'bytes, connect-redis', 'bytes, ours'],
    rows: Object.entries(measured).map(([name, subjects]) => {
      const { title, goal } = cases[name];
      const commands = ({ commands, names }) => `${commands}: ${names}`;
      const bytes = ({ sent, received }) => `${sent.toFixed(0)} out, ${received.toFixed(0)} in`;
      const [theirs, ours] = [subjects[REFERENCE], subjects[OURS]];
      return [
        title,
        commands(theirs),
        commands(ours),
        `${goal}`,
        yesOrNo(ours.commands <= goal),
        bytes(theirs),
        bytes(ours),
      ];
    }),
  };
}

function memoryStoreTable(measured, sessions) {
  const subjects = Object.keys(measured);
  const growth = ({ few, many }) => `${few.toFixed(0)} → ${many.toFixed(0)} ns (${(many / few).toFixed(2)}x)`;
  const fromTo = `${FEW.toLocaleString('en')} → ${sessions.toLocaleString('en')} sessions`;
  const rows = [
    ['bytes per session', 'bytesPerSession', (bytes) => bytes.toFixed(0), `${MEMORY_STORE.bytesPerSession}`],
    [`\`get\`, ${fromTo}`, 'get', growth, `${MEMORY_STORE.growth}x`],
    [`\`set\`, ${fromTo}`, 'set', growth, `${MEMORY_STORE.growth}x`],
    ['`length()`', 'lengthMs', (ms) => `${ms.toFixed(3)} ms`, 'constant'],
    ['longest stall, idle', 'idleStallMs', (ms) => `${ms.toFixed(1)} ms`, ''],
    ['longest stall, all expiring', 'stallMs', (ms) => `${ms.toFixed(1)} ms`, `${MEMORY_STORE.stallMs} ms`],
    ['memory held after that', 'heldShare', percent, percent(MEMORY_STORE.heldShare)],
  ];
  return {
    title: `Memory store with ${sessions.toLocaleString('en')} sessions of 284 bytes of JSON`,
    head: ['', ...subjects, 'goal'],
    rows: rows
      .filter(([, key]) => measured[OURS][key] !== undefined)
      .map(([label, key, format, goal]) => [
        label,
        ...subjects.map((name) => format(measured[name][key])),
        goal,
      ]),
  };
}

function endToEndTable(measured) {
  const compared = [REFERENCE_AGAIN, OURS, OURS_RECOMMENDED, 'bare'];
  return {
    title: 'End to end, Express 5: requests per second',
    head: ['', REFERENCE, 'to itself', 'ours, ratio', '`recommended`, ratio', 'no sessions, ratio'],
    rows: Object.keys(paths).map((name) => [
      scenarios[name].title,
      measured[name][REFERENCE].rate.median.toFixed(0),
      ...compared.map((subject) => spread(measured[name][subject].ratio)),
    ]),
  };
}

/** One line: how many of the goals were met, and which were not. */
function verdict(results) {
  const goals = goalsOf(results);
  const missed = goals.filter(({ met }) => !met);
  const list = missed.map(({ what, goal, value }) => `${what}: ${rounded(value)} (goal ${rounded(goal)})`);
  return { summary: `${goals.length - missed.length} of ${goals.length} goals met.`, missed: list };
}

function rounded(number) {
  return `${Number(number.toPrecision(3))}`;
}

function spread({ q1, median, q3 }) {
  return `${median.toFixed(2)} (${q1.toFixed(2)}–${q3.toFixed(2)})`;
}

function microseconds(value) {
  return `${value.toFixed(1)} µs`;
}

function kilobytes(value) {
  return `${(value / 1000).toFixed(1)} kB`;
}

function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

function yesOrNo(value) {
  return value ? 'yes' : 'no';
}

module.exports = { tablesOf, verdict };
