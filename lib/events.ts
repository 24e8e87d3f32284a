import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { warnOnce } from './warnings.js';

/** What is told of one session. */
export interface SessionEvent {
  /** A short hash of the session's id: enough to follow one session through a log, useless as an id. */
  session: string;
  /** The request that it happened in. */
  req?: IncomingMessage | undefined;
  /** What went wrong. */
  error?: unknown;
  /** The keys concerned: what was dropped, or what was changed on both sides. */
  keys?: string[] | undefined;
}

/**
 * - `conflict`: another request stored the session between our load and our write; the changes were merged;
 * - `interrupted`: a write was dropped, since the session had been destroyed or had expired meanwhile;
 * - `error`: something failed for which no request can be blamed any more, or a stored record was unusable.
 */
export type SessionEventName = 'conflict' | 'interrupted' | 'error';

export type SessionEventListener = (event: SessionEvent) => void;

/** Tells listeners what happens to sessions. Costs nothing while nobody listens. */
export class SessionEvents {
  readonly #emitter = new EventEmitter();

  on(name: SessionEventName, listener: SessionEventListener): void {
    this.#emitter.on(name, listener);
  }

  off(name: SessionEventName, listener: SessionEventListener): void {
    this.#emitter.off(name, listener);
  }

  emit(name: SessionEventName, id: string, details: Omit<SessionEvent, 'session'>): void {
    if (this.#emitter.listenerCount(name) > 0) {
      this.#emitter.emit(name, { session: hashOf(id), ...details } satisfies SessionEvent);
    } else if (name === 'error') {
      warnOnce('WARN_SESSION_ERROR', messageOf(details.error));
    }
  }
}

function hashOf(id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, 12);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
