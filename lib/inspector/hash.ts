import { eventIdOf } from '../events.js';

let latest: { id: string; hash: string } | undefined;

/** What stands for a session's id, as in the events. One request asks several times. */
export function shortHashOf(id: string): string {
  if (id !== latest?.id) latest = { id, hash: eventIdOf(id) };
  return latest.hash;
}
