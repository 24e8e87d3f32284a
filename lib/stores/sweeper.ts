import { nextTurn, unref } from '../timers.js';

/** What a {@link Sweeper} looks after. */
export interface Expiring {
  /** No record expires before this (epoch ms); `Infinity` if there is none. */
  readonly soonest: number;
  /** Removes records that have expired at `now`. Looks at `limit` of them at most, and returns at how many it did. */
  removeExpired(now: number, limit: number): number;
}

/** How many records are looked at without a pause: about 1 ms. A number, not a time, so that it holds under a fake clock. */
const SLICE = 1000;
/** Between slices, in ms. A timer: an unref'd `setImmediate` does not run before something else wakes the process. */
const PAUSE = 1;
/** Records that expire within this many ms of one another are removed together. */
const GATHER = 100;
/** A look at the clock at least this often, in ms, since the system's clock may be set and a timer does not notice. */
const LONGEST_WAIT = 60_000;

/**
 * Removes expired records without being asked: one timer for all, which runs only while there is a record, and which
 * never keeps the process alive, nor in memory what nobody else refers to.
 */
export class Sweeper {
  private readonly records: Expiring;
  private timer: NodeJS.Timeout | undefined;
  private wakesAt = Infinity;
  private closed = false;
  private readonly itself: WeakRef<this>;

  constructor(records: Expiring) {
    this.records = records;
    this.itself = new WeakRef(this);
  }

  /** To be told of every expiry that is given to a record. */
  expect(expires: number): void {
    if (expires >= this.wakesAt) return;
    const now = Date.now();
    const time = Math.min(Math.max(expires, now + GATHER), now + LONGEST_WAIT);
    if (time < this.wakesAt) this.wakeAt(time, now);
  }

  /** Removes all that has expired by now: at once if it is little, else in slices. */
  async finish(): Promise<void> {
    while (this.records.removeExpired(Date.now(), SLICE) === SLICE) {
      await new Promise((resume) => nextTurn(resume));
    }
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  private wakeAt(time: number, now: number): void {
    if (this.closed) return;
    clearTimeout(this.timer);
    this.wakesAt = time;
    this.timer = unref(setTimeout(sweep, time - now, this.itself));
  }

  sweep(): void {
    this.wakesAt = Infinity;
    const now = Date.now();
    const seen = this.records.removeExpired(now, SLICE);
    if (seen === SLICE) this.wakeAt(now + PAUSE, now);
    else this.expect(this.records.soonest);
  }
}

function sweep(sweeper: WeakRef<Sweeper>): void {
  sweeper.deref()?.sweep();
}
