import type { Identity } from '../cookies/identify.js';
import type { Heritage } from '../drivers/heritage.js';

/** What has happened to the session's id in one request. */
export interface IdChanges {
  /** Ids that the session had before; their records go as soon as the new one is stored. */
  readonly retired: readonly string[];
  /** Ids that `regenerate()` has replaced; their sockets hear of it when the new session is stored. */
  readonly left: readonly string[];
  /** What the session has of the one under its former id, until that is settled. */
  readonly heritage: Heritage | undefined;
  /** The former id whose record has gone in exchange for the one under the new id. */
  readonly exchanged: string | undefined;
  /** While it is being settled: all else that stores the session waits for that. */
  readonly succession: Promise<boolean> | undefined;
  /** The id has been rotated, and the browser does not know it yet. */
  readonly renamed: boolean;
  /** Where the session was found, when the cookie names an id that was rotated away. */
  readonly moved: Identity | undefined;
}

/** Nothing, as in most requests: those need no object of their own for all this. */
export const NO_ID_CHANGES: IdChanges = Object.freeze({
  retired: [],
  left: [],
  heritage: undefined,
  exchanged: undefined,
  succession: undefined,
  renamed: false,
  moved: undefined,
});
