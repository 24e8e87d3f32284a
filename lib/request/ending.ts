/** How the session has ended in one request. */
export interface Ending {
  /** The session that the app has destroyed. */
  readonly destroyedId: string | undefined;
  /** The session that was found to be gone. */
  readonly interruptedId: string | undefined;
  /** The app has called `clear()`. */
  readonly cleared: boolean;
  /** How often: what was begun before the last time must not bring back what was there then. */
  readonly clears: number;
  /** The session of whose end the events have told. */
  readonly toldId: string | undefined;
  /** The commit has deleted the session's record. */
  readonly deleted: boolean;
}

/** It hasn't, as in most requests: those need no object of their own for all this. */
export const NOT_ENDED: Ending = Object.freeze({
  destroyedId: undefined,
  interruptedId: undefined,
  cleared: false,
  clears: 0,
  toldId: undefined,
  deleted: false,
});
