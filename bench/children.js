// Starts the processes of the subjects and gives them work. Only one of those that are timed works at a time.
const { fork } = require('node:child_process');
const { once } = require('node:events');
const { join } = require('node:path');

/** Collection on request; blocks of work begin with a tidy heap. */
const FOR_TIME = ['--expose-gc'];
/** Room for the young objects of a whole block, in MB, so that none is collected while they are counted. */
const FOR_ALLOCATIONS = ['--expose-gc', '--min-semi-space-size=256', '--max-semi-space-size=256'];

/** A process of the bench. It runs as in production, where nothing looks out for an app's mistakes. */
class Child {
  #process;

  constructor(script, args, execArgv = []) {
    this.#process = fork(join(__dirname, script), args, {
      env: { ...process.env, NODE_ENV: 'production' },
      execArgv: ['--no-warnings', ...execArgv],
    });
    this.#process.once('exit', (code) => {
      if (code)
        this.#process.emit('error', new Error(`${script} ${args.join(' ')} ended with code ${code}.`));
    });
  }

  /** The next message of the process. */
  async answer() {
    const [message] = await once(this.#process, 'message');
    return message;
  }

  async ask(...message) {
    this.#process.send(message);
    return this.answer();
  }

  end() {
    this.#process.removeAllListeners('exit');
    this.#process.kill('SIGKILL');
  }
}

/** Starts a worker for each of these subjects, runs `body` with them (a Map by name), and ends them. */
async function withWorkers(subjects, scenario, execArgv, body) {
  const children = new Map();
  try {
    for (const subject of subjects)
      children.set(subject, new Child('worker.js', [subject, scenario], execArgv));
    await Promise.all([...children.values()].map((child) => child.answer()));
    return await body(children);
  } finally {
    for (const child of children.values()) child.end();
  }
}

module.exports = { Child, withWorkers, FOR_TIME, FOR_ALLOCATIONS };
