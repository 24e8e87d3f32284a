import { MOST_HOPS, type Pointer, pointerOf } from '../../pointer.js';
import type { TextStore } from '../awaitable.js';
import { Attempts } from '../back-off.js';
import { DEAD, type TextRecords } from './records.js';

/** How long a record that is about to be destroyed is kept, in milliseconds, should nobody come to destroy it. */
const DEAD_FOR = 1000;

/** What is known of a session that is to end. */
export interface EndDetails {
  /** What its sockets are told. */
  readonly reason?: string;
  /** Whose it was. */
  readonly owner?: string | undefined;
}

/** As {@link endSession}, for who need not know. */
export async function destroy(records: TextRecords, id: string, details: EndDetails = {}): Promise<void> {
  await endSession(records, id, details);
}

/**
 * Destroys a session and, where ids are rotated, whatever it has become under another: a rotation that is under way
 * finds its record changed, and gives up.
 * @returns the id that it had, if ids are rotated and it was there
 */
export async function endSession(
  records: TextRecords,
  id: string,
  details: EndDetails = {},
  hops = 0,
): Promise<string | undefined> {
  const { core, store } = records;
  const found = core.settings.rotateAfter > 0 ? await bury(store, id, core.settings.storeTimeout) : undefined;
  let ended = found === BURIED ? id : undefined;
  if (typeof found === 'object' && hops < MOST_HOPS)
    ended = await endSession(records, found.target, details, hops + 1);
  const { owner, reason } = details;
  await (owner === undefined ? store.destroy(id) : store.destroy(id, owner));
  core.sockets.end(id, reason);
  return ended;
}

const BURIED = 'buried';

/** Marks a record as dead. Not so if it is a pointer: then it stays, and is returned. */
async function bury(
  store: TextStore,
  id: string,
  storeTimeout: number,
): Promise<Pointer | typeof BURIED | undefined> {
  for (const attempts = new Attempts(storeTimeout); ; await attempts.next()) {
    const text = await store.get(id);
    const pointer = text === undefined ? undefined : pointerOf(id, text);
    if (text === undefined || pointer) return pointer;
    if (await store.set(id, DEAD, { expires: Date.now() + DEAD_FOR, expected: text })) return BURIED;
  }
}
