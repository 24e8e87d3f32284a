import { compact } from '../compact.js';
import { describeWithoutText } from '../option-checks.js';
import type { ExpiringMap } from './expiring-map.js';
import { ShardedMap } from './sharded-map.js';
import type { SetOptions } from './store.js';
import { Sweeper } from './sweeper.js';

/**
 * What a `MemoryStore` holds: texts by id until they expire. The `SessionStore` contract without promises, each call
 * being done when it returns, and so atomic. Expired records are never seen, and leave memory by themselves.
 *
 * A record may be marked as a session, which tells the store how to give it back; nothing else depends on it.
 */
export class MemoryRecords {
  private readonly max: number;
  private readonly records: ShardedMap;
  private readonly sweeper: Sweeper;

  /** @param max how many records there may be: for one more, the one that would expire first is dropped. */
  constructor(max: number) {
    this.max = max;
    this.records = new ShardedMap(max < Infinity);
    this.sweeper = new Sweeper(this.records);
  }

  /** The text under `id`; `undefined` when there is none, or it has expired. */
  read(id: string): string | undefined {
    return this.records.shardOf(id).get(id, Date.now());
  }

  /** Stores `text`, unless `how.expected` does not hold; then `false`. Something that has expired is not kept. */
  write(id: string, text: string, how: SetOptions, isSession = false): boolean {
    if (typeof text !== 'string') throw badArgument('the text of a record', text, 'a string');
    return this.writeCompact(compact(id), compact(text), how, isSession);
  }

  /** The same for a text and an id that are compact already. */
  writeCompact(id: string, text: string, how: SetOptions, isSession = false): boolean {
    checkTime(how?.expires);
    const now = Date.now();
    const { expires, expected } = how;
    const shard = this.records.shardOf(id);
    if (expected !== undefined && expected !== (shard.get(id, now) ?? null)) return false;
    if (expires > now) this.put(shard, id, text, expires, isSession);
    else shard.delete(id);
    return true;
  }

  /** Gives a record a new expiry (epoch ms). `false`: there is no such record. */
  prolong(id: string, expires: number): boolean {
    checkTime(expires);
    const shard = this.records.shardOf(id);
    if (shard.get(id, Date.now()) === undefined) return false;
    shard.prolong(id, expires);
    this.sweeper.expect(expires);
    return true;
  }

  remove(id: string): void {
    this.records.shardOf(id).delete(id);
  }

  isSession(id: string): boolean {
    return this.records.shardOf(id).isMarked(id);
  }

  /** Others, of which there are none yet. */
  fresh(): MemoryRecords {
    return new MemoryRecords(this.max);
  }

  clear(): void {
    this.records.clear();
  }

  /** Live records, in any order. Records may come and go meanwhile. */
  *entries(): Generator<[id: string, text: string], void, undefined> {
    for (const id of this.records.keys()) {
      const text = this.read(id);
      if (text !== undefined) yield [id, text];
    }
  }

  /** How many live records there are. At once, unless many have expired just now: they are removed first, in slices. */
  async count(): Promise<number> {
    await this.sweeper.finish();
    return this.records.size;
  }

  /** Ends the timer. Expired records then leave memory only when asked for. */
  close(): void {
    this.sweeper.close();
  }

  private put(shard: ExpiringMap, id: string, text: string, expires: number, isSession: boolean): void {
    if (this.max < Infinity && this.records.size >= this.max && !shard.has(id)) this.records.deleteSoonest();
    shard.set(id, text, expires, isSession);
    this.sweeper.expect(expires);
  }
}

function checkTime(time: unknown): void {
  if (typeof time !== 'number' || Number.isNaN(time)) {
    throw badArgument('the expiry of a record', time, 'a time in epoch milliseconds');
  }
}

function badArgument(name: string, given: unknown, allowed: string): TypeError {
  return new TypeError(`${name} must be ${allowed}; got ${describeWithoutText(given)}`);
}
