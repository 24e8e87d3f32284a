import type { IncomingMessage } from 'node:http';
import { compact } from '../compact.js';
import type { Core } from '../core.js';
import type { Decision } from '../decisions.js';
import type { SessionEvent, SessionEventName } from '../events.js';
import type { SessionState } from '../lifecycle.js';
import { explain } from './explain.js';
import { shortHashOf } from './hash.js';
import { printable } from './printable.js';
import { Ring } from './ring.js';
import { toldError } from './told-error.js';

/** An event, as the page shows it. */
export interface EventEntry {
  n: number;
  /** Of the request that it happened in. */
  request: number;
  /** Epoch milliseconds. */
  at: number;
  name: SessionEventName;
  session: string;
  target: string;
  duration: number | undefined;
  keys: string[] | undefined;
  error: string | undefined;
}

/** What was decided for one response, as the page shows it. */
export interface RequestEntry {
  n: number;
  /** Grows whenever something is added. */
  changed: number;
  at: number;
  session: string;
  target: string;
  state: SessionState;
  store?: Outcome;
  cookie?: Outcome;
}

interface Outcome {
  action: string;
  why: string;
}

export interface JournalEntries {
  events: readonly EventEntry[];
  requests: readonly RequestEntry[];
}

/** What every request does; that the inspector's own do so is no news. */
const ROUTINE: ReadonlySet<SessionEventName> = new Set(['create', 'load', 'save', 'touch']);

const LONGEST_TARGET = 300;
const LONGEST_KEY = 100;
const MOST_KEYS = 50;

/** The latest events and requests of this process. */
export class Journal {
  readonly #core: Core;
  readonly #events: Ring<EventEntry>;
  readonly #requests: Ring<RequestEntry>;
  readonly #counts: Record<string, number> = { requests: 0 };
  /** Requests by number: an entry must not keep its request in memory. */
  readonly #numbers = new WeakMap<IncomingMessage, number>();
  readonly #entries = new WeakMap<IncomingMessage, RequestEntry>();
  readonly #own = new WeakSet<IncomingMessage>();
  #latest = 0;
  #taken = 0;
  readonly #stop: () => void;

  /** @param told called with each event, and with none when something has been decided for a request */
  constructor(core: Core, most: number, told: (name?: SessionEventName, event?: SessionEvent) => void) {
    this.#core = core;
    this.#events = new Ring(most);
    this.#requests = new Ring(most);
    const unheed = core.events.observe((name, event) => {
      this.#note(name, event);
      told(name, event);
    });
    const unobserve = core.decisions.observe((decision) => {
      this.#decided(decision);
      told();
    });
    this.#stop = () => {
      unheed();
      unobserve();
    };
  }

  /** All that is remembered. */
  get all(): JournalEntries {
    return { events: this.#events.items, requests: this.#requests.items };
  }

  /** How many requests there were, and how many events of each name, since the start. */
  get counts(): Readonly<Record<string, number>> {
    return this.#counts;
  }

  /** What has come, or has changed, since the last call. */
  takeNews(): JournalEntries {
    const taken = this.#taken;
    this.#taken = this.#latest;
    return {
      events: this.#events.items.filter(({ n }) => n > taken),
      requests: this.#requests.items.filter(({ changed }) => changed > taken),
    };
  }

  /** A request of the inspector's own: it must not crowd out those of the app. */
  disown(req: IncomingMessage): void {
    this.#own.add(req);
    const number = this.#numbers.get(req);
    if (number !== undefined)
      this.#events.drop(({ request, name }) => request === number && ROUTINE.has(name));
  }

  close(): void {
    this.#stop();
  }

  #note(name: SessionEventName, { session, req, duration, keys, error }: SessionEvent): void {
    if (req && this.#own.has(req) && ROUTINE.has(name)) return;
    this.#count(name);
    if (req && (name === 'interrupted' || name === 'error')) this.#correct(req, toldError(error));
    this.#events.add({
      n: ++this.#latest,
      request: req ? this.#numberOf(req) : 0,
      at: Date.now(),
      name,
      session,
      target: targetOf(req),
      duration,
      keys: keys?.slice(0, MOST_KEYS).map((key) => printable(key, LONGEST_KEY)),
      error: name === 'error' ? toldError(error) : undefined,
    });
  }

  #decided({ id, req, facts, ...made }: Decision): void {
    if (this.#own.has(req)) return;
    const entry = this.#entryOf(req);
    entry.changed = ++this.#latest;
    entry.session = shortHashOf(id);
    entry.state = facts.state;
    entry[made.what] = { action: made.action, why: explain(made, facts, this.#core.policy) };
  }

  /** What was decided for the store could not be done. */
  #correct(req: IncomingMessage, problem: string): void {
    const entry = this.#entries.get(req);
    if (!entry?.store || entry.store.action === 'nothing') return;
    entry.changed = ++this.#latest;
    entry.store = { action: 'nothing', why: `not stored: ${problem}` };
  }

  #entryOf(req: IncomingMessage): RequestEntry {
    const known = this.#entries.get(req);
    if (known) return known;
    const request = this.#numberOf(req);
    const entry: RequestEntry = {
      n: request,
      changed: 0,
      at: Date.now(),
      session: '',
      target: targetOf(req),
      state: 'absent',
    };
    this.#entries.set(req, entry);
    this.#requests.add(entry);
    this.#count('requests');
    return entry;
  }

  #numberOf(req: IncomingMessage): number {
    const number = this.#numbers.get(req) ?? ++this.#latest;
    this.#numbers.set(req, number);
    return number;
  }

  #count(what: string): void {
    this.#counts[what] = (this.#counts[what] ?? 0) + 1;
  }
}

/** Method and path. Without the query, where addresses have their secrets. */
function targetOf(req: IncomingMessage | undefined): string {
  if (!req) return '';
  const { method = '', url = '', originalUrl = url } = req as IncomingMessage & { originalUrl?: string };
  const [path = ''] = String(originalUrl).split(/[?#]/, 1);
  return compact(printable(`${method} ${path}`, LONGEST_TARGET));
}
