import type { Cookie } from '../../cookies/cookie.js';
import { isOver } from '../../lifetime.js';
import { MOST_HOPS } from '../../pointer.js';
import { parseRecord } from '../../record.js';
import type { Fate } from '../../sockets/sockets.js';
import { DEAD, type TextRecords } from './records.js';

/** The ids that a session has had since it had this one, which comes first. Empty if nothing is stored under it. */
export async function lineOf(records: TextRecords, id: string): Promise<readonly string[]> {
  const line: string[] = [];
  let next: string | undefined = id;
  while (next !== undefined && line.length < MOST_HOPS) {
    const fate: Fate = await fateOf(records, next);
    if (fate === 'gone') break;
    line.push(next);
    next = fate === 'alive' ? undefined : fate.movedTo;
  }
  return line;
}

/** What has become of a session, for those who wait for its end. */
export async function fateOf(records: TextRecords, id: string): Promise<Fate> {
  const text = await records.store.get(id);
  const record = text === undefined ? undefined : parseRecord(text);
  if (text === undefined || text === DEAD || !record) return 'gone';
  const pointer = records.pointerOf(id, text);
  if (pointer) return { movedTo: pointer.target };
  return isOver(record['cookie'] as Cookie, records.core.settings) ? 'gone' : 'alive';
}
