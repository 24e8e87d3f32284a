import type { App, Apps, Reply } from './apps.js';
import type { Choose } from './scheduler.js';

/** Reads what is stored under an id, past all that is tested. */
export type ReadStore = (id: string) => Promise<Record<string, unknown> | undefined>;

export interface LoadOptions {
  apps: Apps;
  choose: Choose;
  /** How many requests are under way at the same time, in each session. */
  workers: number;
  /** How many each of the workers sends. */
  requests: number;
}

/** How the use of a session ends. */
export type Ending = 'logout' | 'regenerate' | 'keep' | 'none';

const OK = 200;
const GONE = 410;

/**
 * Uses one session by many requests at the same time, through all processes, and keeps account of what was
 * acknowledged (status 200), what was refused since the session had gone, and what may or may not have happened.
 */
export class Ledger {
  readonly #load: LoadOptions;
  readonly #cookie: string;
  readonly #id: string;
  /** Each worker's own key: the value acknowledged last, and all that were tried after it. */
  readonly #values: { acknowledged: string | undefined; possible: Set<string | undefined> }[];
  readonly #tokens = new Map<string, { put: boolean; taken: number; unsure: boolean }>();
  readonly #counts: number[] = [];
  #unsureCounts = 0;
  /** The session was ended: by whom, and whether this was acknowledged. */
  #ended: Ending = 'none';
  #endAcknowledged = false;
  #heir: string | undefined;
  readonly replies: Reply[] = [];
  /** What was acknowledged and is not so. */
  readonly faults: string[] = [];

  static async begin(load: LoadOptions): Promise<Ledger> {
    const { cookie, status } = await load.apps.pick(load.choose(100)).request('/begin');
    if (status !== OK || cookie === undefined) throw new Error(`no session to begin with: ${status}`);
    return new Ledger(load, cookie);
  }

  constructor(load: LoadOptions, cookie: string) {
    this.#load = load;
    this.#cookie = cookie;
    this.#id = idOf(cookie);
    this.#values = Array.from({ length: load.workers }, () => ({
      acknowledged: undefined,
      possible: new Set([undefined]),
    }));
  }

  /** Sends all requests; one of the workers ends the session somewhere on its way. */
  async run(ending: Ending): Promise<this> {
    const { workers, requests, choose } = this.#load;
    const end = Math.floor(requests / 2) + choose(Math.ceil(requests / 2));
    await Promise.all(
      Array.from({ length: workers }, async (_, worker) => {
        for (let number = 0; number < requests; number++) {
          if (worker === 0 && number === end && ending !== 'none') await this.#end(ending);
          else await this.#act(worker, number);
        }
      }),
    );
    return this;
  }

  async #act(worker: number, number: number): Promise<void> {
    const actions = [this.#increment, this.#put, this.#put, this.#remove, this.#token, this.#read];
    await actions[this.#load.choose(actions.length)]!.call(this, worker, number);
  }

  async #request(path: string): Promise<Reply> {
    const app: App = this.#load.apps.pick(this.#load.choose(1000));
    const endedBefore = this.#endAcknowledged;
    const reply = await app.request(path, this.#cookie);
    this.replies.push(reply);
    const served = path === '/read' ? reply.body?.data?.n !== undefined : reply.status === OK;
    if (endedBefore && served) {
      this.faults.push(`${path} was served after the end of the session was acknowledged`);
    }
    return reply;
  }

  async #increment(): Promise<void> {
    const { status, body } = await this.#request('/increment');
    if (status === OK) this.#counts.push(body.value);
    else if (status !== GONE) this.#unsureCounts++;
  }

  async #put(worker: number, number: number): Promise<void> {
    const value = `${number}`;
    this.#note(worker, value, await this.#request(`/put?key=own${worker}&value=${value}`));
  }

  async #remove(worker: number): Promise<void> {
    this.#note(worker, undefined, await this.#request(`/remove?key=own${worker}`));
  }

  #note(worker: number, value: string | undefined, { status }: Reply): void {
    const own = this.#values[worker]!;
    if (status === OK) {
      own.acknowledged = value;
      own.possible.clear();
    }
    if (status !== GONE) own.possible.add(value);
  }

  /** Puts a one-time token in, and has several requests take it. */
  async #token(worker: number, number: number): Promise<void> {
    const key = `token${worker}-${number}`;
    const put = await this.#request(`/put?key=${key}&value=once`);
    const takes = await Promise.all([1, 2, 3].map(() => this.#request(`/take?key=${key}`)));
    this.#tokens.set(key, {
      put: put.status === OK,
      taken: takes.filter(({ status, body }) => status === OK && body.value === 'once').length,
      unsure: [put, ...takes].some(({ status }) => status !== OK),
    });
  }

  async #read(): Promise<void> {
    await this.#request('/read');
  }

  async #end(ending: Ending): Promise<void> {
    const path = { logout: '/logout', regenerate: '/regenerate', keep: '/regenerate?keep=true', none: '' };
    const { status, cookie } = await this.#request(path[ending]);
    if (status === GONE) return;
    this.#ended = ending;
    this.#endAcknowledged = status === OK;
    if (cookie !== undefined) this.#heir = idOf(cookie);
  }

  /** Compares the accounts with what is stored. */
  async audit(read: ReadStore): Promise<string[]> {
    const stored = await read(this.#id);
    const heir = this.#heir === undefined ? undefined : await read(this.#heir);
    if (this.#endAcknowledged) {
      if (stored) this.faults.push(`there after ${this.#ended} was acknowledged`);
      if (this.#ended === 'regenerate') this.#compare(heir, { n: 0 });
      if (this.#ended === 'keep') this.#auditData(heir);
    } else if (stored || this.#ended === 'none') this.#auditData(stored);
    return this.faults;
  }

  #compare(stored: object | undefined, expected: object): void {
    if (JSON.stringify(stored) === JSON.stringify(expected)) return;
    this.faults.push(`${JSON.stringify(stored)} is stored, not ${JSON.stringify(expected)}`);
  }

  #auditData(stored: Record<string, any> | undefined): void {
    if (!stored) return void this.faults.push('the session is lost');
    const least = this.#counts.length;
    if (stored['n'] < least || stored['n'] > least + this.#unsureCounts) {
      this.faults.push(
        `${stored['n']} after ${least} increments and ${this.#unsureCounts} unsure ones, end: ${this.#ended}, last seen: ${Math.max(...this.#counts)}`,
      );
    }
    if (new Set(this.#counts).size < least) this.faults.push('two increments came to the same');
    this.#values.forEach(({ possible }, worker) => {
      const value = stored[`own${worker}`];
      if (possible.has(value)) return;
      this.faults.push(`own${worker} is ${value}, not one of ${[...possible]}`);
    });
    for (const [key, { put, taken, unsure }] of this.#tokens) {
      const left = stored[key] === 'once' ? 1 : 0;
      const fine = taken + left <= 1 && (unsure || !put || taken + left === 1);
      if (!fine) this.faults.push(`${key} was taken ${taken} times, and is stored ${left} times`);
    }
  }
}

/** The id that a cookie carries. */
export function idOf(cookie: string): string {
  return decodeURIComponent(cookie.slice(cookie.indexOf('=') + 1))
    .slice('s:'.length)
    .split('.')[0]!;
}
