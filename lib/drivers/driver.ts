import type { SessionContext } from '../request/context.js';
import type { Session } from '../session.js';

/** Told the context of what was asked for, so that it need not be closed over: each closure less saves 110 bytes. */
export type Answer<T> = (error: unknown, value: T | undefined, context: SessionContext) => void;

/** That something has been done, or not. */
export type Done = Answer<void>;

/** What a store knows of an id: data to make a session of, or nothing. */
export type LoadCallback = Answer<object | null>;

/**
 * How the road of a request uses a store, whichever contract the store speaks. Each operation calls back exactly
 * once; what a store does wrong (throwing, calling twice) stops here.
 */
export interface StoreDriver {
  /** Whether the store can prolong a session without writing it. */
  readonly canTouch: boolean;
  load(context: SessionContext, id: string, done: LoadCallback): void;
  /** Stores the session as it is now, under its own id. `data` is the text of its data, which the caller has at hand. */
  write(context: SessionContext, session: Session, data: string, done: Done): void;
  /** Prolongs the session. Without `data`, by what is stored of it now: others may have stored it since. */
  touch(context: SessionContext, session: Session, data: string | undefined, done: Done): void;
  destroy(context: SessionContext, id: string, done: Done): void;
  /** Puts an empty session under a new id in place of the request's. */
  regenerate(context: SessionContext, done: Done): void;
}
