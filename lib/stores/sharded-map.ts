import { ExpiringMap } from './expiring-map.js';
import { tableHashOf } from './id-index.js';
import type { Expiring } from './sweeper.js';

const SHARDS = 64;

/**
 * Texts by id, in 64 maps. A table that has grown too small, or too big, moves to another one in one go: measured at a
 * million ids, that stops the process for 20 ms; for a 64th of them, for a fraction of one.
 */
export class ShardedMap implements Expiring {
  private readonly shards: readonly ExpiringMap[];

  /** @param exact whether the record that expires first has to be known at any time */
  constructor(exact: boolean) {
    this.shards = Array.from({ length: SHARDS }, () => new ExpiringMap(exact));
  }

  /** The map that holds `id`, if any does. */
  shardOf(id: string): ExpiringMap {
    return this.shards[tableHashOf(id) >>> 26]!; // its upper 6 bits; the table in the shard goes by the lower ones
  }

  get size(): number {
    let size = 0;
    for (const shard of this.shards) size += shard.size;
    return size;
  }

  get soonest(): number {
    return this.soonestShard().soonest;
  }

  /** Removes the record that expires before all others, if `exact`. */
  deleteSoonest(): void {
    this.soonestShard().deleteSoonest();
  }

  removeExpired(now: number, limit: number): number {
    let seen = 0;
    for (const shard of this.shards) seen += shard.removeExpired(now, limit - seen);
    return seen;
  }

  clear(): void {
    for (const shard of this.shards) shard.clear();
  }

  /** All ids, also those of records that have expired. Records may come and go meanwhile. */
  *keys(): Generator<string> {
    for (const shard of this.shards) yield* shard.keys();
  }

  private soonestShard(): ExpiringMap {
    return this.shards.reduce((first, shard) => (shard.soonest < first.soonest ? shard : first));
  }
}
