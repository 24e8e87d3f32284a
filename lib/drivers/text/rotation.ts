import { compactJson } from '../../compact.js';
import { expiryOf } from '../../lifetime.js';
import { pointerText, textRotatedFrom } from '../../pointer.js';
import type { SessionContext } from '../../request/context.js';
import type { Session } from '../../session.js';
import type { SetOptions } from '../../stores/store.js';
import type { TextStore } from '../awaitable.js';
import { Attempts } from '../back-off.js';
import { giveUp } from './interruption.js';
import type { TextRecords } from './records.js';
import { write } from './write.js';

/** Stores the session under a new id, and puts a pointer to it in exchange for the record under the old one. */
export async function rotate(records: TextRecords, context: SessionContext, session: Session): Promise<void> {
  const { core, store } = records;
  const { genid } = core.settings;
  const old = session.id;
  const view = context.viewOf(session, old);
  session.cookie.rotatedAt = Date.now();
  const mine = compactJson(session);
  const target = genid(context.req);
  const expires = expiryOf(session.cookie, core.settings, Date.now());
  for (const attempts = new Attempts(core.settings.storeTimeout); ; await attempts.next()) {
    const text = records.merged(context, session, mine);
    const owner = records.ownerOf(context, text);
    const rotated = textRotatedFrom(old, text);
    await store.set(target, rotated, owner === undefined ? { expires } : { expires, owner });
    const pointer = pointerText(old, JSON.parse(text), { target, movedAt: Date.now() });
    if (await putPointer(store, old, pointer, { expires, expected: view.stored ?? null })) {
      context.rename(session, target);
      Object.assign(context.viewOf(session, target), { stored: rotated, seen: textRotatedFrom(old, mine) });
      context.saved(session);
      core.sockets.move(old, target);
      core.events.emit('rotate', old, { req: context.req });
      return;
    }
    const found = await records.readAgain(context, session);
    if (!found || session.id !== old) {
      await store.destroy(target);
      return found ? write(records, context, session) : giveUp(context, session, mine);
    }
  }
}

/** A pointer that was put there although the store did not say so: the next request with the old id would look like a thief's. */
async function putPointer(store: TextStore, id: string, pointer: string, how: SetOptions): Promise<boolean> {
  try {
    return await store.set(id, pointer, how);
  } catch (error) {
    const stored = await textUnder(store, id).catch(() => undefined);
    if (stored !== pointer) throw error;
    return true;
  }
}

async function textUnder(store: TextStore, id: string): Promise<string | undefined> {
  return store.get(id);
}
