// Requests per second of an Express 5 app over loopback, with the client in a process of its own. All the servers run
// all the time, and one of them at a time has work.
const { Child } = require('./children.js');
const { quartiles, shuffled } = require('./statistics.js');
const { OURS, OURS_RECOMMENDED, REFERENCE, REFERENCE_AGAIN } = require('./subjects/index.js');

/** `warmUp` in responses, by which all that is worth compiling is compiled; `block` in ms. */
const SHORT = { warmUp: 10_000, rounds: 5, block: 150 };
const FULL = { warmUp: 25_000, rounds: 12, block: 400 };

const SUBJECTS = ['bare', REFERENCE, REFERENCE_AGAIN, OURS, OURS_RECOMMENDED];
const SESSIONS = 300;
const paths = { read: '/read', change: '/change' };

/** `{ [path]: { [subject]: { rate, ratio } } }`, with quartiles; `rate` in requests per second. */
async function measureEndToEnd(settings) {
  const client = new Child('end-to-end-client.js', []);
  const servers = SUBJECTS.map((subject) => new Child('end-to-end-server.js', [subject]));
  try {
    const targets = [];
    for (const [index, server] of servers.entries()) {
      const port = await server.answer();
      const cookies = await client.ask('logIn', port, SESSIONS);
      targets.push({ subject: SUBJECTS[index], port, cookies });
    }
    const results = {};
    for (const [name, path] of Object.entries(paths))
      results[name] = await compare(client, targets, path, settings);
    return results;
  } finally {
    for (const child of [client, ...servers]) child.end();
  }
}

async function compare(client, targets, path, { warmUp, rounds, block }) {
  const drive = ({ port, cookies }, duration, fewest) =>
    client.ask('drive', port, path, cookies, duration, fewest);
  for (const target of targets) await drive(target, 0, warmUp);
  const results = [];
  for (let round = 0; round < rounds; round++) {
    const result = {};
    for (const target of shuffled(targets)) result[target.subject] = await drive(target, block, 0);
    results.push(result);
  }
  const summary = (subject) => ({
    rate: quartiles(results.map((result) => result[subject])),
    ratio: quartiles(results.map((result) => result[subject] / result[REFERENCE])),
  });
  return Object.fromEntries(targets.map(({ subject }) => [subject, summary(subject)]));
}

module.exports = { measureEndToEnd, paths, SHORT, FULL };
