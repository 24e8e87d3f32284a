import { ExpiryQueue } from './expiry-queue.js';
import { IdIndex, NONE, tableHashOf } from './id-index.js';
import { fitted } from './typed-arrays.js';

/**
 * Texts by id, each until it expires. It looks at no clock: what has expired stays until it is asked to remove it.
 *
 * A record is a slot: an index into parallel arrays, without gaps. An object per record would cost 40 bytes more.
 */
export class ExpiringMap {
  private readonly index = new IdIndex();
  /** Ids and texts in turn: side by side, a million of them take one wait for memory less to find. */
  private records: string[] = [];
  /** 1 for a record that was marked. */
  private marks = new Uint8Array(0);
  private readonly queue: ExpiryQueue;

  /** @param exact whether the record that expires first has to be known at any time */
  constructor(exact: boolean) {
    this.queue = new ExpiryQueue(exact);
  }

  get size(): number {
    return this.records.length >> 1;
  }

  /** No record expires before this; `Infinity` when there is none. If `exact`, one expires just then. */
  get soonest(): number {
    return this.queue.nextTurn;
  }

  has(id: string): boolean {
    return this.find(id) !== NONE;
  }

  /** The text under `id`, unless it has expired at `now`; then it is removed. */
  get(id: string, now: number): string | undefined {
    const slot = this.find(id);
    if (slot === NONE) return undefined;
    if (this.queue.timeOf(slot) > now) return this.records[2 * slot + 1];
    this.remove(slot);
    return undefined;
  }

  isMarked(id: string): boolean {
    const slot = this.find(id);
    return slot !== NONE && this.marks[slot] === 1;
  }

  /** Text and id are kept as they are, and with them all that they are made of: they should be compact. */
  set(id: string, text: string, expires: number, marked: boolean): void {
    let slot = this.find(id);
    if (slot === NONE) {
      slot = this.add(id, text, expires);
    } else {
      this.queue.change(slot, expires);
      this.records[2 * slot] = id; // mostly the very string by which it will be looked for next: no need to compare
      this.records[2 * slot + 1] = text;
    }
    this.marks[slot] = marked ? 1 : 0;
  }

  /** Gives the record under `id`, which must be there, another expiry. */
  prolong(id: string, expires: number): void {
    this.queue.change(this.find(id), expires);
  }

  delete(id: string): void {
    const slot = this.find(id);
    if (slot !== NONE) this.remove(slot);
  }

  /** Removes the record that expires before all others, if `exact`. */
  deleteSoonest(): void {
    this.remove(this.queue.next);
  }

  /** Removes records that have expired at `now`. Looks at `limit` of them at most, and returns at how many it did. */
  removeExpired(now: number, limit: number): number {
    let seen = 0;
    for (; seen < limit && this.queue.nextTurn <= now; seen++) {
      const slot = this.queue.next;
      if (this.queue.timeOf(slot) <= now) this.remove(slot);
      else this.queue.settleNext();
    }
    return seen;
  }

  clear(): void {
    this.index.clear();
    this.records = [];
    this.queue.clear();
  }

  /** All ids at this moment, also those of records that have expired. */
  keys(): string[] {
    return this.records.filter((_, at) => at % 2 === 0);
  }

  private find(id: string): number {
    return this.index.find(id, tableHashOf(id), this.records);
  }

  private add(id: string, text: string, expires: number): number {
    const slot = this.size;
    this.index.add(tableHashOf(id), slot);
    this.records.push(id, text);
    this.marks = fitted(this.marks, slot + 1);
    this.queue.add(expires);
    return slot;
  }

  /** Removes a record; the last one moves into its slot. */
  private remove(slot: number): void {
    this.index.remove(tableHashOf(this.records[2 * slot]!), slot);
    this.queue.remove(slot);
    const text = this.records.pop()!;
    const id = this.records.pop()!;
    const last = this.size;
    if (slot !== last) {
      this.index.move(tableHashOf(id), last, slot);
      this.records[2 * slot] = id; // mostly the very string by which it will be looked for next: no need to compare
      this.records[2 * slot + 1] = text;
      this.marks[slot] = this.marks[last]!;
    }
    this.shrink();
  }

  /** Gives memory back, when there is enough of it: `pop` alone never does. */
  private shrink(): void {
    const marks = fitted(this.marks, this.size);
    if (marks === this.marks) return;
    this.marks = marks;
    this.records = this.records.slice();
  }
}
