import type { Cookie } from '../../cookies/cookie.js';
import { isOver } from '../../lifetime.js';
import { parseRecord } from '../../record.js';
import type { Fate } from '../../sockets/sockets.js';
import { DEAD, type TextRecords } from './records.js';

/** What has become of a session, for those who wait for its end. */
export async function fateOf(records: TextRecords, id: string): Promise<Fate> {
  const text = await records.store.get(id);
  const record = text === undefined ? undefined : parseRecord(text);
  if (text === undefined || text === DEAD || !record) return 'gone';
  const pointer = records.pointerOf(id, text);
  if (pointer) return { movedTo: pointer.target };
  return isOver(record['cookie'] as Cookie, records.core.settings, Date.now()) ? 'gone' : 'alive';
}
