import type { SessionContext } from './context.js';

/** RFC 6455 section 7.4.1: the endpoint received something that violates its policy. */
export const POLICY_VIOLATION = 1008;

/** A connection that lives as long as its session does. */
export interface OpenSocket {
  readonly context: SessionContext;
  /** Ends the connection because its session has ended. */
  end(reason: string): void;
}

/** What became of a session, as the store says. */
export type Fate = 'alive' | 'gone' | { movedTo: string };

/** How many sessions are looked up at the same time. */
const BATCH = 50;

/**
 * The open sockets of each session: those of a session that ends are closed, those of one whose id changes go along. What
 * this process does is seen at once; what others do, by looking the sessions up every `interval` milliseconds. One timer
 * serves all sockets, and there is none while no socket is open.
 */
export class SocketRegistry {
  readonly #byId = new Map<string, Set<OpenSocket>>();
  readonly #lookUp: (id: string) => Promise<Fate>;
  #interval = 30_000;
  #timer: NodeJS.Timeout | undefined;

  constructor(lookUp: (id: string) => Promise<Fate>) {
    this.#lookUp = lookUp;
  }

  set interval(milliseconds: number) {
    this.#interval = milliseconds;
  }

  get size(): number {
    let size = 0;
    for (const sockets of this.#byId.values()) size += sockets.size;
    return size;
  }

  add(socket: OpenSocket): void {
    const id = socket.context.req.sessionID;
    const sockets = this.#byId.get(id) ?? new Set();
    this.#byId.set(id, sockets.add(socket));
    this.#timer ??= setTimeout(() => void this.#check(), this.#interval).unref();
  }

  remove(socket: OpenSocket): void {
    const id = socket.context.req.sessionID;
    const sockets = this.#byId.get(id);
    if (sockets?.delete(socket) && sockets.size === 0) this.#byId.delete(id);
  }

  /** The session is over. */
  end(id: string, reason: string): void {
    const sockets = this.#byId.get(id);
    this.#byId.delete(id);
    for (const socket of sockets ?? []) socket.end(reason);
  }

  endMatching(matches: (id: string) => boolean, reason: string): void {
    for (const id of [...this.#byId.keys()]) {
      if (matches(id)) this.end(id, reason);
    }
  }

  /** The session goes on under another id. */
  move(from: string, to: string): void {
    const sockets = this.#byId.get(from);
    if (!sockets || from === to) return;
    this.#byId.delete(from);
    const there = this.#byId.get(to) ?? new Set();
    for (const socket of sockets) {
      socket.context.followTo(to);
      there.add(socket);
    }
    this.#byId.set(to, there);
  }

  /** Looks all sessions up now; to be called when the store tells of a change that others have made. */
  async check(ids: Iterable<string> = this.#byId.keys()): Promise<void> {
    const all = [...ids];
    for (let at = 0; at < all.length; at += BATCH) {
      await Promise.all(all.slice(at, at + BATCH).map((id) => this.#checkOne(id)));
    }
  }

  async #check(): Promise<void> {
    await this.check();
    this.#timer =
      this.#byId.size > 0 ? setTimeout(() => void this.#check(), this.#interval).unref() : undefined;
  }

  /** A store that fails says nothing about its sessions: their sockets stay. */
  async #checkOne(id: string): Promise<void> {
    const sockets = [...(this.#byId.get(id) ?? [])];
    if (!sockets.some(({ context }) => context.wasStored(id))) return; // a session that nobody has put anything in
    const fate = await this.#lookUp(id).catch(() => 'alive' as const);
    if (fate === 'gone') this.end(id, 'session ended');
    else if (fate !== 'alive') this.move(id, fate.movedTo);
  }
}
