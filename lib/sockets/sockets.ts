import type { SessionContext } from '../request/context.js';
import { hashOf } from '../stores/id-hash.js';
import { followTo, type SocketLife } from './socket-life.js';

/** RFC 6455 section 7.4.1: the endpoint received something that violates its policy. */
export const POLICY_VIOLATION = 1008;

/** Why sockets are closed, as their clients read it. */
const ENDED = 'session ended';
const RENEWED = 'session renewed';

/** A connection that lives as long as its session does. */
export interface OpenSocket {
  readonly context: SessionContext;
  readonly life: SocketLife;
  /** Ends the connection because its session has ended. */
  end(reason: string): void;
}

/** What became of a session, as the store says. */
export type Fate = 'alive' | 'gone' | { movedTo: string };

/** How many sessions are looked up at the same time. */
const BATCH = 50;

/**
 * The open sockets of each session: those of a session that ends are closed, those of one whose id changes go along. What
 * this process does is seen at once; what others do, by looking the sessions up every `interval` milliseconds, and each
 * of them when its lifetime should be over. One timer serves all sockets, and there is none while no socket is open.
 */
export class SocketRegistry {
  /** How often all sessions with open sockets are looked up, in milliseconds. */
  interval = 30_000;
  /** What becomes of sockets when `regenerate()` gives their session another id. */
  onRegenerate: 'follow' | 'close' = 'follow';
  /** Called when the first socket opens. */
  whenUsed: (() => void) | undefined;

  readonly #byId = new Map<string, Set<OpenSocket>>();
  /** The ids that have sockets, by their hashes: stores may tell of nothing else. */
  readonly #idsByHash = new Map<string, string>();
  /** Under which id each is filed; its session may have learned of another before the registry did. */
  readonly #ids = new Map<OpenSocket, string>();
  readonly #lookUp: (id: string) => Promise<Fate>;
  #timer: NodeJS.Timeout | undefined;
  #wakesAt = Infinity;
  #nextRound = 0;
  #checking = false;

  constructor(lookUp: (id: string) => Promise<Fate>) {
    this.#lookUp = lookUp;
  }

  add(socket: OpenSocket): void {
    this.whenUsed?.();
    this.whenUsed = undefined;
    if (this.#ids.size === 0) this.#nextRound = Date.now() + this.interval;
    this.#file(socket, socket.context.req.sessionID);
    this.#wakeBy(Math.min(this.#nextRound, socket.life.livesUntil));
  }

  remove(socket: OpenSocket): void {
    const id = this.#ids.get(socket) as string;
    this.#ids.delete(socket);
    const sockets = this.#byId.get(id);
    sockets?.delete(socket);
    if (sockets?.size === 0) this.#forget(id);
    if (this.#ids.size === 0) this.#sleep();
  }

  /** The session is over. */
  end(id: string, reason: string = ENDED): void {
    for (const socket of [...(this.#byId.get(id) ?? [])]) socket.end(reason);
  }

  endMatching(matches: (id: string) => boolean, reason: string): void {
    for (const id of [...this.#byId.keys()]) {
      if (matches(id)) this.end(id, reason);
    }
  }

  /** The session goes on under another id, given to it by `regenerate()`. */
  renew(from: string, to: string): void {
    if (this.onRegenerate === 'follow') this.move(from, to);
    else this.end(from, RENEWED);
  }

  /** The session goes on under another id. */
  move(from: string, to: string): void {
    if (from === to) return;
    for (const socket of [...(this.#byId.get(from) ?? [])]) {
      followTo(socket.context, to);
      this.#file(socket, to);
    }
    this.#forget(from);
  }

  /** A request has given the session more time. */
  prolong(id: string, until: number): void {
    for (const { life } of this.#byId.get(id) ?? []) life.livesUntil = until;
  }

  /** Looks a session up now, if it has sockets: somebody says that it has ended, by its id or the hash of it. */
  async check(name: string): Promise<void> {
    const id = this.#idsByHash.get(name) ?? name;
    const sockets = [...(this.#byId.get(id) ?? [])];
    if (!sockets.some(({ context }) => context.wasStored(id))) return; // one that nobody has put anything in
    const fate = await this.#lookUp(id).catch(() => 'alive' as const); // a store that fails says nothing
    if (fate === 'gone') this.end(id);
    else if (fate !== 'alive') this.move(id, fate.movedTo);
  }

  #file(socket: OpenSocket, id: string): void {
    this.#ids.set(socket, id);
    const sockets = this.#byId.get(id) ?? new Set();
    this.#byId.set(id, sockets.add(socket));
    this.#idsByHash.set(hashOf(id), id);
  }

  #forget(id: string): void {
    this.#byId.delete(id);
    this.#idsByHash.delete(hashOf(id));
  }

  #wakeBy(time: number): void {
    if (time >= this.#wakesAt || this.#checking) return;
    clearTimeout(this.#timer);
    this.#wakesAt = time;
    // a timer counts whole milliseconds, and may be early by a part of one
    this.#timer = setTimeout(() => void this.#wake(), Math.max(0, time - Date.now()) + 1).unref();
  }

  #sleep(): void {
    clearTimeout(this.#timer);
    this.#wakesAt = Infinity;
  }

  async #wake(): Promise<void> {
    const now = Date.now();
    const isRound = now >= this.#nextRound;
    this.#wakesAt = Infinity;
    this.#checking = true;
    await this.#checkAll(isRound ? [...this.#byId.keys()] : this.#overdue(now));
    this.#checking = false;
    if (this.#ids.size === 0) return;
    if (isRound) this.#nextRound = Date.now() + this.interval;
    let next = this.#nextRound;
    for (const { life } of this.#ids.keys()) {
      // Of one that should have been over, and is not, others have prolonged the life: the next round will tell.
      if (life.livesUntil > now) next = Math.min(next, life.livesUntil);
    }
    this.#wakeBy(next);
  }

  /** Those whose lifetime should be over, as far as this process knows. */
  #overdue(now: number): string[] {
    return [...this.#byId].filter(([, sockets]) => isOverdue(sockets, now)).map(([id]) => id);
  }

  async #checkAll(ids: string[]): Promise<void> {
    for (let at = 0; at < ids.length; at += BATCH) {
      await Promise.all(ids.slice(at, at + BATCH).map((id) => this.check(id)));
    }
  }
}

function isOverdue(sockets: Iterable<OpenSocket>, now: number): boolean {
  for (const { life } of sockets) if (life.livesUntil <= now) return true;
  return false;
}
