import { setTimeout as sleep } from 'node:timers/promises';

/** Waits longer and longer, up to 32 ms, and at random, so that those who collide come apart. The first tries are at once. */
export async function backOff(attempt: number): Promise<void> {
  if (attempt < 2) return;
  await sleep(Math.random() * 2 ** Math.min(attempt, 5));
}
