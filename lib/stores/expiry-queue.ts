import { fitted } from './typed-arrays.js';

/**
 * Which slot expires first: a binary min-heap of slots by time, in which each slot knows its place, so that its time
 * can be changed, and it can be removed, wherever it is. Nothing stale is ever left in it.
 *
 * Slots are numbered 0 to `size - 1` without gaps.
 */
export class ExpiryQueue {
  size = 0;
  /** By slot: when it expires (epoch ms). */
  private times = new Float64Array(0);
  /** By slot: its place in the heap. */
  private places = new Uint32Array(0);
  /** By place in the heap: the slot. */
  private heap = new Uint32Array(0);

  /** The slot that expires first. Only for a queue that isn't empty. */
  get soonest(): number {
    return this.heap[0]!;
  }

  /** When the first slot expires; `Infinity` for an empty queue. */
  get soonestTime(): number {
    return this.size === 0 ? Infinity : this.times[this.heap[0]!]!;
  }

  timeOf(slot: number): number {
    return this.times[slot]!;
  }

  /** Adds a slot, numbered `size`. */
  add(time: number): void {
    const slot = this.size;
    this.resize(slot + 1);
    this.size = slot + 1;
    this.times[slot] = time;
    this.put(slot, slot);
    this.rise(slot);
  }

  change(slot: number, time: number): void {
    this.times[slot] = time;
    this.restoreOrder(this.places[slot]!);
  }

  /** Removes a slot. Its number goes to the slot that was the last. */
  remove(slot: number): void {
    const last = this.size - 1;
    const gap = this.places[slot]!;
    this.size = last;
    if (gap !== last) {
      this.put(this.heap[last]!, gap);
      this.restoreOrder(gap);
    }
    if (slot !== last) {
      this.times[slot] = this.times[last]!;
      this.put(slot, this.places[last]!);
    }
    this.resize(last);
  }

  clear(): void {
    this.size = 0;
    this.resize(0);
  }

  private put(slot: number, place: number): void {
    this.heap[place] = slot;
    this.places[slot] = place;
  }

  private restoreOrder(place: number): void {
    this.sink(this.rise(place));
  }

  private rise(place: number): number {
    const slot = this.heap[place]!;
    const time = this.times[slot]!;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = this.heap[parent]!;
      if (this.times[above]! <= time) break;
      this.put(above, place);
      place = parent;
    }
    this.put(slot, place);
    return place;
  }

  private sink(place: number): void {
    const slot = this.heap[place]!;
    const time = this.times[slot]!;
    for (let child = this.soonerChild(place); child < this.size; child = this.soonerChild(place)) {
      const below = this.heap[child]!;
      if (this.times[below]! >= time) break;
      this.put(below, place);
      place = child;
    }
    this.put(slot, place);
  }

  /** The place of the child that expires first; `size` or more if there is no child. */
  private soonerChild(place: number): number {
    const left = 2 * place + 1;
    const right = left + 1;
    if (right >= this.size) return left;
    return this.times[this.heap[right]!]! < this.times[this.heap[left]!]! ? right : left;
  }

  private resize(size: number): void {
    this.times = fitted(this.times, size);
    this.places = fitted(this.places, size);
    this.heap = fitted(this.heap, size);
  }
}
