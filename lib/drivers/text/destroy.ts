import { type Pointer, pointerOf } from '../../pointer.js';
import type { TextStore } from '../awaitable.js';
import { Attempts } from '../back-off.js';
import { DEAD, MOST_HOPS, type TextRecords } from './records.js';

/** How long a record that is about to be destroyed is kept, in milliseconds, should nobody come to destroy it. */
const DEAD_FOR = 1000;

/**
 * Destroys a session and, where ids are rotated, whatever it has become under another: a rotation that is under way
 * finds its record changed, and gives up.
 * @param reason what its sockets are told
 */
export async function destroy(
  records: TextRecords,
  id: string,
  hops: number,
  reason?: string,
): Promise<void> {
  const { core, store } = records;
  const pointer =
    core.settings.rotateAfter > 0 ? await bury(store, id, core.settings.storeTimeout) : undefined;
  if (pointer && hops < MOST_HOPS) await destroy(records, pointer.target, hops + 1, reason);
  await store.destroy(id);
  core.sockets.end(id, reason);
}

/** Marks a record as dead. @returns the pointer that it is, if it is one: then it stays */
async function bury(store: TextStore, id: string, storeTimeout: number): Promise<Pointer | undefined> {
  for (const attempts = new Attempts(storeTimeout); ; await attempts.next()) {
    const text = await store.get(id);
    const pointer = text === undefined ? undefined : pointerOf(id, text);
    if (text === undefined || pointer) return pointer;
    if (await store.set(id, DEAD, { expires: Date.now() + DEAD_FOR, expected: text })) return undefined;
  }
}
