// From what was measured in each round to costs and ratios.
const { quartiles } = require('./statistics.js');
const { REFERENCE } = require('./subjects/index.js');

/**
 * Of rounds `{ [subject]: amount }` it makes `{ [subject]: { cost, ratio } }`, with quartiles over the rounds. A cost is what
 * a subject takes beyond the bare app, a ratio that of its cost to express-session's, both within one round.
 */
function costs(rounds) {
  const cost = (round, subject) => round[subject] - round.bare;
  const results = { bare: { cost: quartiles(rounds.map(({ bare }) => bare)) } };
  for (const subject of Object.keys(rounds[0]).filter((name) => name !== 'bare')) {
    results[subject] = {
      cost: quartiles(rounds.map((round) => cost(round, subject))),
      ratio: quartiles(rounds.map((round) => cost(round, subject) / cost(round, REFERENCE))),
    };
  }
  return results;
}

module.exports = { costs };
