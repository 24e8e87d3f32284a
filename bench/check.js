// For CI: fails on a gross regression against bench/results.json, of what repeats well on any machine: bytes allocated
// as a ratio to express-session, and writes to the socket. Never of a time.
//
//   npm run build && node bench/check.js
const { measureAllocations } = require('./in-process.js');
const { savedResults } = require('./report.js');
const { scenarios } = require('./scenarios.js');
const { OURS, OURS_RECOMMENDED } = require('./subjects/index.js');

const GROSS = 1.5;
/** A ratio close to nothing may change by this: other versions of Node.js allocate somewhat otherwise. */
const SLACK = 0.05;
const SETTINGS = { allocationRounds: 3, countOthers: false };

main();

async function main() {
  const saved = savedResults().allocations;
  const failures = [];
  for (const name of Object.keys(scenarios)) {
    const now = await measureAllocations(name, SETTINGS);
    for (const subject of [OURS, OURS_RECOMMENDED]) {
      const { line, failed } = compare(now[subject], saved[name][subject]);
      console.log(`${failed ? 'FAILED' : 'ok    '} ${scenarios[name].title}, ${subject}: ${line}`);
      if (failed) failures.push(name);
    }
  }
  if (failures.length === 0) return;
  console.log('\nIf it is meant to be so, take new figures with: npm run bench:full');
  process.exitCode = 1;
}

function compare(now, before) {
  const most = GROSS * before.ratio.median + SLACK;
  const ratio = now.ratio.median;
  return {
    line: `bytes ${ratio.toFixed(2)} (was ${before.ratio.median.toFixed(2)}), writes ${now.writes} (was ${before.writes})`,
    failed: !(ratio <= most) || now.writes > before.writes,
  };
}
