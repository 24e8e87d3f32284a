import type { SessionContext } from '../request/context.js';
import type { Callback, Session } from '../session.js';

/** What a store knows of an id: data to make a session of, or nothing. */
export type LoadCallback = (error: unknown, data?: object | null) => void;

/**
 * How the road of a request uses a store, whichever contract the store speaks. Each operation calls back exactly
 * once; what a store does wrong (throwing, calling twice) stops here.
 */
export interface StoreDriver {
  /** Whether the store can prolong a session without writing it. */
  readonly canTouch: boolean;
  load(context: SessionContext, id: string, done: LoadCallback): void;
  /** Stores the session as it is now, under its own id. `data` is the text of its data, which the caller has at hand. */
  write(context: SessionContext, session: Session, data: string, done: Callback): void;
  /** Prolongs the session. Without `data`, by what is stored of it now: others may have stored it since. */
  touch(context: SessionContext, session: Session, data: string | undefined, done: Callback): void;
  destroy(context: SessionContext, id: string, done: Callback): void;
  /** Puts an empty session under a new id in place of the request's. */
  regenerate(context: SessionContext, done: Callback): void;
}
