import { Recent } from '../recent.js';
import type { SessionContext } from '../request/context.js';
import { hashOf, noticeOf } from '../stores/id-hash.js';
import { unref } from '../timers.js';
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
const AT_ONCE = 50;

/** How many new ids of one session are followed at one look. */
const MOST_HOPS = 100;

/** Of how many sessions it is remembered, at least, that they ended or moved lately. */
const REMEMBERED = 2000;

/** How long a handshake may take, in milliseconds, and yet its socket be told of a session that was revoked meanwhile. */
const LONGEST_HANDSHAKE = 60_000;

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
  /** The sessions that ended or moved lately, by their hashes: a handshake of theirs may have been under way. */
  readonly #changed = new Recent<true>(REMEMBERED);
  /** When sessions were last revoked whose ids are not known here, by the monotonic clock. */
  #revokedAt = -Infinity;
  readonly #lookUp: (id: string) => Promise<Fate>;
  /** The ids that are to be looked up, and those that are being. */
  readonly #due = new Set<string>();
  readonly #inHand = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  // Both by the monotonic clock: the other one may be set back, and there would be no round for as long.
  #wakesAt = Infinity;
  #nextRound = 0;

  constructor(lookUp: (id: string) => Promise<Fate>) {
    this.#lookUp = lookUp;
  }

  add(socket: OpenSocket): void {
    this.whenUsed?.();
    this.whenUsed = undefined;
    if (this.#ids.size === 0) this.#nextRound = performance.now() + this.interval;
    const id = socket.context.req.sessionID;
    this.#file(socket, id);
    this.#wakeIn(Math.min(this.#untilRound(), socket.life.livesUntil - Date.now()));
    if (this.#mayHaveChanged(id)) void this.#followUp(id);
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
    this.#noteChange(id);
    for (const socket of [...(this.#byId.get(id) ?? [])]) endSafely(socket, reason);
  }

  endMatching(matches: (id: string) => boolean, reason: string): void {
    this.#revokedAt = performance.now();
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
    this.#noteChange(from);
    for (const socket of [...(this.#byId.get(from) ?? [])]) {
      followTo(socket.context, to);
      this.#file(socket, to);
    }
    this.#forget(from);
  }

  /** Whether there are any of this session in this process. */
  has(id: string): boolean {
    return this.#byId.has(id);
  }

  /** A request has given the session more time. */
  prolong(id: string, until: number): void {
    for (const { life } of this.#byId.get(id) ?? []) life.livesUntil = until;
  }

  /** Looks a session up now, if it has sockets: somebody says that it has ended, by its id or the hash of it. */
  async check(name: string): Promise<void> {
    if (typeof name !== 'string') return; // a store of the app's may tell anything
    this.#noteChange(name);
    await this.#followUp(this.#idsByHash.get(name) ?? name);
  }

  /** Looks all sessions up that have sockets, some at a time. */
  checkAll(): void {
    this.#lookUpSoon(this.#byId.keys());
  }

  /** Looks a session up, and goes along with it to wherever it has moved since the last look. */
  async #followUp(id: string): Promise<void> {
    let now = id;
    for (let hops = 0; hops < MOST_HOPS && this.#isWorthALook(now); hops++) {
      const fate = await this.#lookUp(now).catch(() => 'alive' as const); // a store that fails says nothing
      if (fate === 'alive') return;
      if (fate === 'gone') return this.end(now);
      this.move(now, fate.movedTo);
      now = fate.movedTo;
    }
  }

  /** Nobody else knows of a session that nobody has put anything in. */
  #isWorthALook(id: string): boolean {
    return [...(this.#byId.get(id) ?? [])].some(({ context }) => context.wasStored(id));
  }

  #noteChange(name: string): void {
    this.#changed.set(noticeOf(name), true);
  }

  /** Whether a socket's session may have ended or moved between its load and now, when its socket is filed. */
  #mayHaveChanged(id: string): boolean {
    if (performance.now() - this.#revokedAt < LONGEST_HANDSHAKE) return true;
    return this.#changed.get(hashOf(id)) === true;
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

  #untilRound(): number {
    return this.#nextRound - performance.now();
  }

  #wakeIn(delay: number): void {
    const time = performance.now() + delay;
    if (time >= this.#wakesAt) return;
    clearTimeout(this.#timer);
    this.#wakesAt = time;
    // a timer counts whole milliseconds, and may be early by a part of one
    this.#timer = unref(setTimeout(() => this.#wake(), Math.max(0, delay) + 1));
  }

  #sleep(): void {
    clearTimeout(this.#timer);
    this.#wakesAt = Infinity;
  }

  /** Doesn't wait for any answer of the store: one that is slow must not keep the others from being looked up. */
  #wake(): void {
    const now = Date.now();
    this.#wakesAt = Infinity;
    if (this.#untilRound() > 0) {
      this.#lookUpSoon(this.#overdue(now));
    } else {
      this.#nextRound = performance.now() + this.interval;
      this.checkAll();
    }
    let next = this.#untilRound();
    for (const { life } of this.#ids.keys()) {
      // Of one that should have been over, and is not, others have prolonged the life: the next round will tell.
      if (life.livesUntil > now) next = Math.min(next, life.livesUntil - now);
    }
    this.#wakeIn(next);
  }

  /** Those whose lifetime should be over, as far as this process knows. */
  #overdue(now: number): string[] {
    return [...this.#byId].filter(([, sockets]) => isOverdue(sockets, now)).map(([id]) => id);
  }

  /** Those that are being looked up already are not once more. */
  #lookUpSoon(ids: Iterable<string>): void {
    for (const id of ids) if (!this.#inHand.has(id)) this.#due.add(id);
    for (const id of this.#due) {
      if (this.#inHand.size >= AT_ONCE) return;
      this.#due.delete(id);
      this.#inHand.add(id);
      void this.#followUp(id).finally(() => {
        this.#inHand.delete(id);
        this.#lookUpSoon([]);
      });
    }
  }
}

/** One that can't be ended must not keep others open. */
function endSafely(socket: OpenSocket, reason: string): void {
  try {
    socket.end(reason);
  } catch (error) {
    socket.context.report(error);
  }
}

function isOverdue(sockets: Iterable<OpenSocket>, now: number): boolean {
  for (const { life } of sockets) if (life.livesUntil <= now) return true;
  return false;
}
