// A quick look while working on the library, at one scenario or a few:
//
//   npm run build && node bench/quick.js [--scenario=read,change] [--subjects=steady-session] [--rounds=15]
//     [--cpu] [--allocations]
//
// With STEADY_DIST=directory it measures another build than dist/.
const { parseArgs } = require('node:util');
const { measureAllocations, measureTime, SHORT } = require('./in-process.js');
const { scenarios } = require('./scenarios.js');

const { values } = parseArgs({
  options: {
    scenario: { type: 'string', default: Object.keys(scenarios).join() },
    subjects: { type: 'string', default: 'steady-session,steady-session recommended' },
    rounds: { type: 'string', default: '15' },
    cpu: { type: 'boolean', default: false },
    allocations: { type: 'boolean', default: false },
  },
});
const both = values.cpu === values.allocations;
const settings = { ...SHORT, rounds: Number(values.rounds) };

main();

async function main() {
  for (const name of values.scenario.split(',')) {
    const { title, goal } = scenarios[name];
    console.log(`${name}: ${title}; goal ${goal}`);
    const wanted = values.subjects.split(',');
    if (both || values.cpu) print('us', 1, await measureTime(name, settings, wanted));
    if (both || values.allocations) print('bytes', 0, await measureAllocations(name, settings, wanted));
  }
}

function print(unit, digits, results) {
  for (const [subject, { cost, ratio, writes }] of Object.entries(results)) {
    const compared = ratio
      ? `ratio ${ratio.median.toFixed(3)}  (${ratio.q1.toFixed(3)} - ${ratio.q3.toFixed(3)})`
      : '';
    const written = writes ? `  ${writes} writes` : '';
    console.log(
      `  ${subject.padEnd(27)} ${cost.median.toFixed(digits).padStart(9)} ${unit.padEnd(5)}  ${compared}${written}`,
    );
  }
}
