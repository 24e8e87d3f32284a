import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import type { AppConfig, AppState } from './app/server.js';
import { type CompiledApp, compileApp } from './compile-app.js';
import { cookieOf } from './exchange.js';

/** What a request came to. */
export interface Reply {
  /** `0`: no answer, as the connection or the process broke off. */
  status: number;
  body: any;
  /** The session's cookie, if it was sent. */
  cookie: string | undefined;
  /** How long it took, in milliseconds. */
  duration: number;
}

/** One process of the app. */
export class App {
  readonly #child: ChildProcess;
  readonly #agent = new Agent({ keepAlive: true });
  #port = 0;

  constructor(child: ChildProcess) {
    this.#child = child;
  }

  async ready(): Promise<this> {
    const exited = once(this.#child, 'exit').then(([code]) => {
      throw new Error(`the app ended with code ${code}`);
    });
    exited.catch(() => {});
    const [{ port }] = (await Promise.race([once(this.#child, 'message'), exited])) as [{ port: number }];
    this.#port = port;
    return this;
  }

  request(path: string, cookie?: string): Promise<Reply> {
    const start = performance.now();
    const headers = cookie === undefined ? {} : { cookie };
    const duration = () => performance.now() - start;
    return new Promise((resolve) => {
      const failed = () => resolve({ status: 0, body: undefined, cookie: undefined, duration: duration() });
      const request = get({ port: this.#port, host: '127.0.0.1', path, headers, agent: this.#agent });
      request.on('error', failed);
      request.on('response', (response) => {
        read(response).then((text) => {
          const [line] = response.headers['set-cookie'] ?? [];
          const sent = line && cookieOf(`Set-Cookie: ${line}`);
          resolve({
            status: response.statusCode!,
            body: parsed(text),
            cookie: sent,
            duration: duration(),
          });
        }, failed);
      });
    });
  }

  async state(): Promise<AppState> {
    this.#child.send('state');
    const [{ state }] = (await once(this.#child, 'message')) as [{ state: AppState }];
    return state;
  }

  /** Ends the process at once, as a crash would. */
  async kill(): Promise<void> {
    this.#agent.destroy();
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}

async function read(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response) text += chunk;
  return text;
}

/** Express's own error page is no JSON. */
function parsed(text: string): any {
  return text.startsWith('{') ? JSON.parse(text) : { code: text };
}

/** The processes of one app, which share a store. */
export class Apps {
  readonly all: App[] = [];
  readonly #compiled: CompiledApp = compileApp();
  readonly #config: Omit<AppConfig, 'lib'>;

  constructor(config: Omit<AppConfig, 'lib'>) {
    this.#config = config;
  }

  async start(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.add()));
  }

  async add(): Promise<App> {
    const { lib, program } = this.#compiled;
    const config: AppConfig = { ...this.#config, lib };
    const child = fork(program, {
      execArgv: ['--expose-gc'],
      env: { ...process.env, NODE_ENV: 'production', CONFIG: JSON.stringify(config) },
    });
    const started = new App(child);
    await started.ready();
    this.all.push(started);
    return started;
  }

  /** Ends one process as a crash would. */
  async kill(app: App): Promise<void> {
    this.all.splice(this.all.indexOf(app), 1);
    await app.kill();
  }

  /** One of the processes, by any number. */
  pick(number: number): App {
    return this.all[number % this.all.length]!;
  }

  async stop(): Promise<void> {
    await Promise.all(this.all.map((app) => app.kill()));
    this.#compiled.remove();
  }
}
