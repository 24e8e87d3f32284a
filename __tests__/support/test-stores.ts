import session from '../../lib/index.js';

export type Operation = 'get' | 'set' | 'touch' | 'destroy';

/** A call of the store that a test keeps waiting. */
export interface HeldCall {
  /** When the store has been called. */
  readonly reached: Promise<void>;
  /** Lets the call go on. */
  open(): void;
}

interface Hold {
  operation: Operation;
  reach(): void;
  opened: Promise<void>;
}

/** Sees all calls of a store, and keeps them waiting or fails them where a test says so. */
export class Traffic {
  readonly calls: Operation[] = [];
  readonly #holds: Hold[] = [];
  readonly #faults = new Map<Operation, unknown>();
  #pending = 0;
  #whenIdle: (() => void)[] = [];

  /** Keeps the next call of `operation` waiting. */
  hold(operation: Operation): HeldCall {
    let reach: () => void = () => {};
    let open: () => void = () => {};
    const reached = new Promise<void>((resolve) => {
      reach = resolve;
    });
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    this.#holds.push({ operation, reach, opened });
    return { reached, open };
  }

  /** From now on each call of `operation` fails. */
  fail(operation: Operation, error: unknown): void {
    this.#faults.set(operation, error);
  }

  repair(operation: Operation): void {
    this.#faults.delete(operation);
  }

  count(operation: Operation): number {
    return this.calls.filter((call) => call === operation).length;
  }

  /** Performs one call. */
  async pass<T>(operation: Operation, work: () => T): Promise<T> {
    this.calls.push(operation);
    this.#pending++;
    try {
      await this.#wait(operation);
      if (this.#faults.has(operation)) throw this.#faults.get(operation);
      return work();
    } finally {
      // Once the caller has had the answer, which a callback store gives one turn later, and has acted on it.
      setImmediate(() => setImmediate(() => this.#done()));
    }
  }

  /** Resolves when no call is under way. */
  idle(): Promise<void> {
    if (this.#pending === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  async #wait(operation: Operation): Promise<void> {
    const index = this.#holds.findIndex((hold) => hold.operation === operation);
    if (index === -1) return;
    const [hold] = this.#holds.splice(index, 1);
    hold!.reach();
    await hold!.opened;
  }

  #done(): void {
    this.#pending--;
    if (this.#pending === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }
}

type Callback = (error?: any, value?: any) => void;

/** A store as made for express-session: answers by callback, in a later turn. */
class CallbackStore extends session.Store {
  readonly records = new Map<string, string>();
  readonly traffic: Traffic;

  constructor(traffic: Traffic) {
    super();
    this.traffic = traffic;
  }

  get(id: string, callback: Callback): void {
    this.perform('get', callback, () => {
      const text = this.records.get(id);
      return text === undefined ? undefined : JSON.parse(text);
    });
  }

  set(id: string, data: object, callback: Callback = () => {}): void {
    const text = JSON.stringify(data);
    this.perform('set', callback, () => {
      this.records.set(id, text);
    });
  }

  override touch(id: string, data: { cookie: unknown }, callback: Callback = () => {}): void {
    const cookie = JSON.parse(JSON.stringify(data.cookie));
    this.perform('touch', callback, () => {
      const text = this.records.get(id);
      if (text !== undefined) this.records.set(id, JSON.stringify({ ...JSON.parse(text), cookie }));
    });
  }

  destroy(id: string, callback: Callback = () => {}): void {
    this.perform('destroy', callback, () => {
      this.records.delete(id);
    });
  }

  private perform(operation: Operation, callback: Callback, work: () => unknown): void {
    this.traffic.pass(operation, work).then(
      (value) => setImmediate(callback, null, value),
      (error) => setImmediate(callback, error),
    );
  }
}

/** A store of text in a Map. */
class TextStore implements session.SessionStore {
  readonly records = new Map<string, { value: string; expires: number }>();
  readonly traffic: Traffic;

  constructor(traffic: Traffic) {
    this.traffic = traffic;
  }

  get(id: string): Promise<string | undefined> {
    return this.traffic.pass('get', () => this.#live(id));
  }

  set(id: string, value: string, how: session.SetOptions): Promise<boolean> {
    return this.traffic.pass('set', () => {
      if (how.expected !== undefined && how.expected !== (this.#live(id) ?? null)) return false;
      this.records.set(id, { value, expires: how.expires });
      return true;
    });
  }

  touch(id: string, expires: number): Promise<boolean> {
    return this.traffic.pass('touch', () => {
      const value = this.#live(id);
      if (value === undefined) return false;
      this.records.set(id, { value, expires });
      return true;
    });
  }

  destroy(id: string): Promise<void> {
    return this.traffic.pass('destroy', () => {
      this.records.delete(id);
    });
  }

  #live(id: string): string | undefined {
    const record = this.records.get(id);
    return record && record.expires > Date.now() ? record.value : undefined;
  }
}

/** A store to test with, and a look inside. */
export interface TestStore {
  store: session.Store | session.SessionStore;
  /** What MemoryStore does nobody sees or holds up: it is replaced by other code if its methods are. */
  traffic: Traffic;
  /** All stored sessions by id, without their cookies. */
  data(): Record<string, Record<string, unknown>>;
}

export const GATED_STORES = ['callback store', 'text store'] as const;
export const STORES = [...GATED_STORES, 'MemoryStore'] as const;
export type StoreName = (typeof STORES)[number];

export function makeStore(name: StoreName): TestStore {
  const traffic = new Traffic();
  if (name === 'callback store') {
    const store = new CallbackStore(traffic);
    return { store, traffic, data: () => readAll([...store.records]) };
  }
  if (name === 'text store') {
    const store = new TextStore(traffic);
    return { store, traffic, data: () => readAll([...store.records].map(([id, { value }]) => [id, value])) };
  }
  const store = new session.MemoryStore();
  return { store, traffic, data: () => readAll(Object.entries(store.sessions)) };
}

function readAll(records: [string, string][]): Record<string, Record<string, unknown>> {
  return Object.fromEntries(
    records.map(([id, text]) => {
      const { cookie: _, ...data } = JSON.parse(text);
      return [id, data];
    }),
  );
}
