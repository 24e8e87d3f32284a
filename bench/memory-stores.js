// What a memory store costs with many sessions in it: ours, express-session's, memorystore, each in a process of its own.
const { Child } = require('./children.js');

/** `sessions` in the store; with `expiry`, what happens while they expire is watched too, which takes minutes. */
const SHORT = { sessions: 100_000, expiry: false };
const FULL = { sessions: 1_000_000, expiry: true };

const FEW = 1000;
const SUBJECTS = ['express-session', 'memorystore', 'steady-session'];

/** `{ [subject]: what memory-store-worker.js answers }` */
async function measureMemoryStores({ sessions, expiry }) {
  const results = {};
  for (const subject of SUBJECTS) {
    const execArgv = ['--expose-gc', '--max-old-space-size=8000'];
    const worker = new Child('memory-store-worker.js', [subject, `${sessions}`, `${FEW}`], execArgv);
    try {
      results[subject] = await worker.ask(expiry ? 'all' : 'size');
    } finally {
      worker.end();
    }
  }
  return results;
}

module.exports = { measureMemoryStores, SHORT, FULL, FEW };
