import { pointerOf } from '../../lib/pointer.js';
import { sign } from '../support/sign.js';
import { cookieOf, exchange } from './exchange.js';
import type { GatedStore } from './gated-stores.js';
import { type Claim, EXPIRE, INITIAL, type Operation } from './operations.js';
import { type Choose, Scheduler } from './scheduler.js';

/** The invariants of DESIGN.md section 6, and what is wrong when one does not hold. */
export type Fault =
  | 'early' // 1: answered before the change was stored, or reported as dropped
  | 'unreachable' // 1: stored, but the client was not told the new id
  | 'lost' // 2: a change that was stored has gone, and its session has not
  | 'dropped' // 2: a change was reported as dropped, though its session was there
  | 'counter' // 2: not as many as were acknowledged
  | 'token' // 2: not exactly one request got it
  | 'survived' // 3: there though its end was acknowledged
  | 'resurrected' // 3: there again after it was gone
  | 'carried back' // 3: data of an ended session, under a new id
  | 'expiry' // 4: a record outlives its time
  | 'foreign' // 5: stored under an id that nobody has issued
  | 'failed' // 6: a request got an error
  | 'hung'; // 6: a request got no answer

export interface Violation {
  fault: Fault;
  what: string;
  /** The order of the steps that led to it. */
  trace: readonly string[];
}

/** What is examined: session middleware over a store. */
export interface Subject {
  name: string;
  /** How long its sessions live, in milliseconds. */
  life: number;
  /** The steps of the app are gated too: for a store whose own steps can't be. */
  gateApp?: boolean;
  start(scheduler: Scheduler, genid: () => string): GatedStore & { handler: Middleware };
}

type Middleware = ((req: any, res: any, next: (error?: unknown) => void) => void) & {
  on?(name: 'interrupted', listener: (event: any) => void): void;
};

const SECRET = 'keyboard cat';

/** Runs some operations at the same time, in the order that `choose` determines, and tells what went wrong. */
export async function interleave(
  subject: Subject,
  operations: readonly Operation[],
  choose: Choose,
): Promise<Violation[]> {
  const world = new World(subject);
  await world.begin();
  operations.forEach((operation, index) => {
    world.start(operation, index);
  });
  await world.finish(choose);
  jest.clearAllTimers(); // those of a store that is no longer used
  return world.violations;
}

interface Party {
  operation: Operation;
  claim: Claim;
  /** Absent: it is no request. */
  req: { readonly sessionID: string } | undefined;
  /** It found the session that all share, not a new one. */
  found: boolean;
  /** When it was answered: how many answers there were before. */
  answered: number | undefined;
  /** What it claims has been seen in the store. */
  held: boolean;
  dropped: string[];
  failure: unknown;
  response: () => string;
}

class World {
  readonly violations: Violation[] = [];
  readonly #subject: Subject;
  readonly #scheduler = new Scheduler();
  readonly #issued = new Set<string>();
  readonly #backend: GatedStore & { handler: Middleware };
  readonly #parties: Party[] = [];
  readonly #seen = new Set<string>();
  /** Ids of sessions that are gone, with who has ended them. */
  readonly #gone = new Map<string, number | undefined>();
  #answers = 0;
  /** So much time has passed that a record may have expired before it was stored. */
  #expired = false;
  #cookie: string | undefined;
  #id = '';

  constructor(subject: Subject) {
    this.#subject = subject;
    this.#backend = subject.start(this.#scheduler, () => this.#issue());
  }

  #issue(): string {
    const id = `id${this.#issued.size}`;
    this.#issued.add(id);
    return id;
  }

  /** The session that all will share is made by a request. */
  async begin(): Promise<void> {
    await this.#scheduler.freely(async () => {
      const { req, res, over, sent } = exchange(undefined, () => {});
      this.#backend.handler(req, res, () => {
        Object.assign(req.session, INITIAL);
        res.end('begun');
      });
      await over;
      this.#id = req.sessionID;
      this.#cookie = cookieOf(sent());
    });
    jest.advanceTimersByTime(1); // so that an id may be due for rotation
    this.#backend.handler.on?.('interrupted', ({ req, keys }) => {
      const party = this.#parties.find(({ claim }) => claim.index === req.index);
      party?.dropped.push(...keys);
    });
  }

  start(operation: Operation, index: number): void {
    const party: Party = {
      operation,
      claim: { index, values: new Map() },
      ...{ req: undefined, found: false, answered: undefined, held: false, dropped: [], failure: undefined },
      response: () => '',
    };
    this.#parties.push(party);
    this.#scheduler.as(index, () => (operation === EXPIRE ? this.#expire(party) : this.#request(party)));
  }

  async #expire(party: Party): Promise<void> {
    await this.#scheduler.pass('expire');
    jest.advanceTimersByTime(this.#subject.life);
    this.#expired = true;
    party.found = true;
    party.answered = this.#answers++;
  }

  async #request(party: Party): Promise<void> {
    const { operation, claim } = party;
    const cookie = operation.stranger ? `connect.sid=s:${sign('stranger', SECRET)}` : this.#cookie;
    const { req, res, sent } = exchange(cookie, () => this.#answered(party));
    Object.assign(req, { index: claim.index });
    Object.assign(party, { req, response: sent });
    await this.#appStep(`${operation.name} arrives`);
    this.#backend.handler(req, res, (error) => {
      if (error) this.#fail(party, res, error);
      else this.#handle(party, req, res).catch((failure) => this.#fail(party, res, failure));
    });
  }

  /** The app: it does the operation and answers. */
  async #handle(party: Party, req: any, res: any): Promise<void> {
    const { operation, claim } = party;
    party.found = req.session.seed === INITIAL.seed;
    await this.#appStep(`${operation.name} runs`);
    try {
      await operation.run(req.session, claim);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_SESSION_GONE') throw error;
      res.statusCode = 410;
    }
    await this.#appStep(`${operation.name} ends`);
    res.end('done');
  }

  #fail(party: Party, res: any, error: unknown): void {
    party.failure = error;
    if (res.writableEnded) return;
    res.statusCode = 500;
    res.end();
  }

  #appStep(step: string): Promise<void> | undefined {
    return this.#subject.gateApp ? this.#scheduler.pass(step) : undefined;
  }

  #answered(party: Party): void {
    this.#scheduler.trace.push(`-> ${party.operation.name} answered`);
    party.answered = this.#answers++;
    this.#look();
    const claims = party.claim.values.size > 0;
    if (claims && !party.held && !this.#isDropped(party) && !this.#expired) {
      this.#report('early', `${party.operation.name} was answered before its changes were stored`);
    }
  }

  async finish(choose: Choose): Promise<void> {
    await this.#scheduler.run(choose, () => this.#look());
    for (const party of this.#parties) this.#judge(party);
    this.#judgeCounter();
    this.#judgeToken();
    this.#judgeExpiry();
  }

  /** The live sessions by id. An id that was rotated away leads to the session under its new one. */
  #live(): Map<string, any> {
    const records = this.#backend.live();
    const at = (id: string): any => {
      const record = records.get(id);
      const pointer = record && pointerOf(id, JSON.stringify(record));
      if (pointer) return at(pointer.target);
      return record?.cookie?.movedTo === null ? undefined : record; // about to be destroyed
    };
    return new Map([...records.keys()].flatMap((id) => (at(id) === undefined ? [] : [[id, at(id)]])));
  }

  // ---- What must hold at every moment

  #look(): void {
    const live = this.#live();
    for (const id of live.keys()) {
      if (!this.#issued.has(id)) this.#report('foreign', `${id} is stored`);
      if (this.#gone.has(id)) this.#report('resurrected', `${id} is back`);
      this.#seen.add(id);
    }
    for (const id of this.#seen) {
      if (!live.has(id) && !this.#gone.has(id)) this.#gone.set(id, this.#scheduler.lastActor);
    }
    for (const party of this.#parties) this.#lookAt(party, live);
    this.#lookForRevenants(live);
  }

  #lookAt(party: Party, live: Map<string, any>): void {
    const { operation, claim, answered } = party;
    if (answered !== undefined && party.found && operation.effect && live.has(this.#id)) {
      this.#report('survived', `${this.#id} is stored after ${operation.name} was answered`);
    }
    const data = live.get(idOf(party)) ?? this.#successor(party, live);
    if (claim.values.size === 0 || !data) return;
    if (this.#holds(data, party)) party.held = true;
    else if (party.held && answered !== undefined) {
      this.#report('lost', `what ${operation.name} has stored is gone from ${JSON.stringify(data)}`);
    }
  }

  /** Where the data of the shared session went, if they were carried over in time. */
  #successor(party: Party, live: Map<string, any>): any {
    if (!this.#shares(party)) return undefined;
    const heir = this.#parties.find((each) => each !== party && this.#hasMoved(each));
    return heir && live.get(idOf(heir));
  }

  /** It has worked on the session that all share. */
  #shares({ found, operation }: Party): boolean {
    return found && operation.effect === undefined;
  }

  #hasMoved({ operation, found, answered, dropped }: Party): boolean {
    return operation.effect === 'moves' && found && answered !== undefined && dropped.length === 0;
  }

  /** A key that several requests have changed has the value of one of them. */
  #holds(data: Record<string, unknown>, party: Party): boolean {
    return [...party.claim.values.keys()].every((key) =>
      this.#parties.some(({ claim }) => claim.values.has(key) && claim.values.get(key) === data[key]),
    );
  }

  #isDropped({ claim, dropped }: Party): boolean {
    return claim.values.size > 0 && [...claim.values.keys()].some((key) => dropped.includes(key));
  }

  /** Data of the shared session under another id: only one may have them, and only who has moved them there. */
  #lookForRevenants(live: Map<string, any>): void {
    if (!this.#gone.has(this.#id)) return;
    const heirs = this.#parties.filter(
      (party) =>
        party.answered !== undefined &&
        idOf(party) !== this.#id &&
        live.get(idOf(party))?.seed === INITIAL.seed,
    );
    for (const heir of heirs) {
      if (this.#gone.get(this.#id) === heir.claim.index) continue;
      this.#report('carried back', `${idOf(heir)} has data of ${this.#id}, which another request has ended`);
    }
  }

  // ---- What must hold in the end

  #judge(party: Party): void {
    const { operation, answered, failure, dropped, response } = party;
    if (answered === undefined) return this.#report('hung', `${operation.name} got no answer`);
    if (failure) return this.#report('failed', `${operation.name} failed: ${failure}`);
    const live = this.#live();
    if (dropped.length > 0 && live.has(this.#id)) {
      this.#report('dropped', `${dropped} of ${operation.name} was dropped`);
    }
    const id = idOf(party);
    if (id !== this.#id && live.has(id) && !cookieOf(response())?.includes(id)) {
      this.#report('unreachable', `${operation.name} has stored ${id}, which nobody knows`);
    }
  }

  /** The record that continues the shared session. */
  #heritage(): any {
    const live = this.#live();
    const heir = this.#parties.find((party) => this.#hasMoved(party));
    return live.get(this.#id) ?? (heir && live.get(idOf(heir)));
  }

  #judgeCounter(): void {
    const heritage = this.#heritage();
    const counts = this.#parties.filter((party) => this.#shares(party) && party.claim.counted !== undefined);
    const values = counts.map(({ claim }) => claim.counted);
    if (new Set(values).size < values.length) this.#report('counter', `two increments gave the same`);
    if (heritage && heritage.n !== INITIAL.n + counts.length) {
      this.#report('counter', `${heritage.n} after ${counts.length} increments`);
    }
  }

  #judgeToken(): void {
    const takers = this.#parties.filter(({ claim }) => claim.took === INITIAL.token).length;
    const keepers = [...this.#backend.live().values()].filter(({ token }) => token === INITIAL.token).length;
    const mayBeGone = this.#parties.some(({ operation }) => operation.effect === 'ends');
    if (takers + keepers > 1 || (takers + keepers < 1 && !mayBeGone)) {
      this.#report('token', `${takers} got the token and ${keepers} records have it`);
    }
  }

  #judgeExpiry(): void {
    jest.advanceTimersByTime(this.#subject.life);
    const left = [...this.#live().keys()];
    if (left.length > 0 || this.#backend.size() > 0) this.#report('expiry', `${left} has not expired`);
  }

  #report(fault: Fault, what: string): void {
    this.violations.push({ fault, what, trace: [...this.#scheduler.trace] });
  }
}

/** The id that its session has now. */
function idOf({ req }: Party): string {
  return req?.sessionID ?? '';
}
