import { setImmediate as turn } from 'node:timers/promises';
import { answerOf } from '../adapters/answer.js';
import { compact } from '../compact.js';
import type { Core } from '../core.js';
import { timed } from '../drivers/timed-driver.js';
import type { SessionEvent, SessionEventName } from '../events.js';
import type { SessionRequest } from '../session.js';
import { isOnlyCallbackStore } from '../stores/contract.js';
import type { SessionStore } from '../stores/store.js';
import { shortHashOf } from './hash.js';
import { rowOf, type SessionRow } from './session-row.js';
import { toldError } from './told-error.js';

/** The live sessions, as the page shows them. */
export interface Listing {
  rows: SessionRow[];
  /** There are more than may be listed. */
  more: boolean;
  /** `process`: the store can't list, so these are the ones that this process has seen lately. */
  source: 'store' | 'process';
  /** Why there is nothing to show. */
  problem: string | undefined;
}

/** What this process knows of a session that it has seen. */
export interface Sighting {
  id: string;
  /** When it was stored first, in epoch milliseconds; so are the next two. */
  createdAt?: number | undefined;
  /** When it was written last. */
  savedAt?: number | undefined;
  /** When its life was prolonged last, since it was written. */
  touchedAt?: number | undefined;
}

/** How many records are read at the same time. */
const BATCH = 25;

/** How many ids are hashed before others have their turn. */
const STRETCH = 1000;

const PRESENT: ReadonlySet<SessionEventName> = new Set(['create', 'load', 'save', 'touch']);
const GONE: ReadonlySet<SessionEventName> = new Set(['destroy', 'expire', 'rotate']);

/** Finds sessions by the hashes of their ids. What it knows is bounded: `most` that were seen and as many listed. */
export class Directory {
  readonly #core: Core;
  readonly #most: number;
  /** By hash; the one that was seen last comes last. */
  readonly #seen = new Map<string, Sighting>();
  #listed = new Map<string, string>();
  #listing: Promise<Listing> | undefined;

  constructor(core: Core, most: number) {
    this.#core = core;
    this.#most = most;
  }

  /** @returns whether the event is about a session that is live or gone now */
  note(name: SessionEventName, { session, req }: SessionEvent): 'live' | 'gone' | undefined {
    if (GONE.has(name)) {
      this.#seen.delete(session);
      this.#listed.delete(session);
      return 'gone';
    }
    const { sessionID } = (req ?? {}) as Partial<SessionRequest>; // to look at req.session would cost its making
    if (!PRESENT.has(name) || sessionID === undefined || shortHashOf(sessionID) !== session) return undefined;
    this.#remember(session, {
      ...this.#seen.get(session),
      id: compact(sessionID),
      ...learnt(name, Date.now()),
    });
    return 'live';
  }

  /** The live sessions, or the first of them. Those who ask at the same time share the work. */
  list(): Promise<Listing> {
    this.#listing ??= this.#list().finally(() => {
      this.#listing = undefined;
    });
    return this.#listing;
  }

  /** What is stored now under an id with this hash. */
  async row(hash: string): Promise<SessionRow | undefined> {
    const id = this.#knownId(hash);
    return id === undefined ? undefined : this.#read(id);
  }

  /** Goes through all sessions, if need be. */
  async find(hash: string): Promise<string | undefined> {
    const known = this.#knownId(hash);
    if (known !== undefined || !this.#listable) return known;
    let count = 0;
    for await (const id of this.#listable.ids()) {
      if (shortHashOf(id) === hash) return id;
      if (++count % STRETCH === 0) await turn();
    }
    return undefined;
  }

  async #list(): Promise<Listing> {
    const source = this.#listable ? 'store' : 'process';
    try {
      const { ids, more } = await within(this.#core.settings.storeTimeout, () => this.#ids());
      this.#listed = new Map(ids.map((id) => [shortHashOf(id), id]));
      return { more, source, problem: undefined, ...(await this.#rows(ids)) };
    } catch (error) {
      return { rows: [], more: false, source, problem: toldError(error) };
    }
  }

  /** One record that can't be read must not hide the others. */
  async #rows(ids: string[]): Promise<Pick<Listing, 'rows'>> {
    const rows: SessionRow[] = [];
    let failure: unknown;
    for (let at = 0; at < ids.length; at += BATCH) {
      const batch = await Promise.allSettled(ids.slice(at, at + BATCH).map((id) => this.#read(id)));
      for (const outcome of batch) {
        if (outcome.status === 'rejected') failure ??= outcome.reason;
        else if (outcome.value) rows.push(outcome.value);
      }
      await turn();
    }
    if (rows.length === 0 && failure !== undefined) throw failure;
    return { rows };
  }

  async #ids(): Promise<{ ids: string[]; more: boolean }> {
    if (!this.#listable) return { ids: [...this.#seen.values()].map(({ id }) => id).reverse(), more: false };
    const ids: string[] = [];
    for await (const id of this.#listable.ids()) {
      if (ids.length === this.#most) return { ids, more: true };
      ids.push(id);
    }
    return { ids, more: false };
  }

  async #read(id: string): Promise<SessionRow | undefined> {
    const { settings, store } = this.#core;
    const data = await within(settings.storeTimeout, () => answerOf<object>(store, 'get', id));
    const hash = shortHashOf(id);
    return data ? rowOf(hash, data, this.#seen.get(hash), settings) : undefined;
  }

  get #listable(): Required<Pick<SessionStore, 'ids'>> | undefined {
    const { store } = this.#core.settings;
    if (isOnlyCallbackStore(store)) return undefined;
    return typeof (store as SessionStore).ids === 'function' ? (store as Required<SessionStore>) : undefined;
  }

  #knownId(hash: string): string | undefined {
    return this.#seen.get(hash)?.id ?? this.#listed.get(hash);
  }

  #remember(hash: string, sighting: Sighting): void {
    this.#seen.delete(hash);
    this.#seen.set(hash, sighting);
    const [oldest] = this.#seen.keys();
    if (this.#seen.size > this.#most) this.#seen.delete(oldest as string);
  }
}

function learnt(name: SessionEventName, now: number): Partial<Sighting> {
  if (name === 'create') return { createdAt: now, savedAt: now };
  if (name === 'save') return { savedAt: now, touchedAt: undefined };
  return name === 'touch' ? { touchedAt: now } : {};
}

/** A store that does not answer must not keep a page waiting for ever. */
function within<T>(timeout: number, operation: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const done = timed<T>('load', timeout, (error, value) => (error ? reject(error) : resolve(value as T)));
    operation().then((value) => done(undefined, value), done);
  });
}
