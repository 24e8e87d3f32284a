/** How {@link SessionStore.set} writes. */
export interface SetOptions {
  /** When the record stops being valid, in epoch milliseconds. The core always gives one. */
  expires: number;
  /**
   * What must be stored now for the write to happen:
   * - omitted: write anyway;
   * - `null`: only if there is no live record under this id;
   * - text: only if exactly that text is stored now (and has not expired).
   *
   * A store that cannot compare and write in one step says `atomic: false`.
   */
  expected?: string | null;
  /** Whose session it is, for a store that has {@link SessionStore.owned}; omitted: nobody's. */
  owner?: string;
}

/** A record that {@link SessionStore.owned} has found. */
export interface OwnedRecord {
  /** What the store calls the record. */
  key: string;
  value: string;
  /** Whether this is the record of the session with this id. */
  matches(id: string): boolean;
  /** @param owner as for {@link SessionStore.destroy} */
  destroy(owner?: string): Promise<void>;
}

/**
 * What a custom store implements: text kept under an id until it expires.
 *
 * A store never sees a session. Serialization, ids, time-outs, merging and encryption are the core's work.
 * Check an implementation with `steady-session/conformance`.
 */
export interface SessionStore {
  /** The text stored under `id`; `undefined` when there is none or it has expired. */
  get(id: string): Promise<string | undefined>;
  /** Stores `value` under `id`. Resolves to whether it was written: `false` only if `how.expected` did not hold. */
  set(id: string, value: string, how: SetOptions): Promise<boolean>;
  /**
   * Gives a live record a new expiry (epoch ms) and leaves its text alone. `false`: there is no such record; none is made.
   * @param owner whose session it is, for a store that has {@link SessionStore.owned} and an index with expiries of its own
   */
  touch(id: string, expires: number, owner?: string): Promise<boolean>;
  /**
   * Removes the record. Fine if there is none.
   * @param owner whose session it was, for a store that has {@link SessionStore.owned} and an index beside the records. Given
   * only where that is known, and no write that is under way can bring the record back, so that the index may forget it.
   */
  destroy(id: string, owner?: string): Promise<void>;

  /** Optional: `get` and `touch` in one round trip. A record that is not there is not made. */
  getAndTouch?(id: string, expires: number): Promise<string | undefined>;
  /** Optional: the ids of all live records, in any order. */
  ids?(): AsyncIterable<string>;
  /**
   * Optional: the live records that were last set with this `owner`, and maybe others: the core looks at each. Without
   * it, all records are gone through by `ids()`.
   */
  owned?(owner: string): AsyncIterable<OwnedRecord>;
  /**
   * Optional: calls back with the id of each record that is destroyed, by whichever process, so that its sockets are
   * closed at once; or, so that no id is in the messages, with `sha256-` and the base64url of the id's SHA-256. Resolves,
   * when it listens, to what ends that. Processes without it notice within `checkInterval`.
   */
  onDestroy?(listener: (id: string) => void): Promise<() => void>;
  /** Optional: frees timers and connections that the store itself opened. */
  close?(): Promise<void> | void;
  /** `false`: `expected` is checked and written in two steps, so the core adds a lock within this process. Default `true`. */
  readonly atomic?: boolean;
}
