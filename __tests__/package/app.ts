import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { plainEnvironment } from './project.js';

/** What the app says of itself when it listens. */
export interface AppFacts {
  /** The `name` in the package.json of what it has for express-session. */
  readonly package: string;
  /** The class of its store. */
  readonly store: string;
}

/** Runs consumers/run/app.cjs of the project while `use` is at work. */
export async function withApp<T>(
  project: string,
  args: readonly string[],
  use: (address: string, facts: AppFacts) => Promise<T>,
): Promise<T> {
  const child = spawn(process.execPath, ['app.cjs', ...args], {
    cwd: project,
    env: plainEnvironment(),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let complaints = '';
  child.stderr.on('data', (chunk) => {
    complaints += chunk;
  });
  const exited = once(child, 'exit');
  try {
    const lines = createInterface(child.stdout);
    const [line] = (await Promise.race([once(lines, 'line'), exited])) as [unknown];
    if (typeof line !== 'string') throw new Error(`The app ended:\n${complaints}`);
    const { port, ...facts } = JSON.parse(line) as AppFacts & { port: number };
    return await use(`http://127.0.0.1:${port}`, facts);
  } finally {
    child.stdin.end();
    await exited;
  }
}

/** A browser, as far as a session needs one: it keeps one cookie. */
export class Visitor {
  cookie = '';

  async get(url: string): Promise<unknown> {
    return this.#request(url, 'GET');
  }

  async post(url: string, body: object = {}): Promise<unknown> {
    return this.#request(url, 'POST', JSON.stringify(body));
  }

  async #request(url: string, method: string, body: string | null = null): Promise<unknown> {
    const headers = { cookie: this.cookie, 'content-type': 'application/json' };
    const response = await fetch(url, { method, headers, body });
    for (const line of response.headers.getSetCookie()) this.cookie = line.split(';')[0]!;
    const text = await response.text();
    if (!response.ok) return response.status;
    return JSON.parse(text);
  }
}
