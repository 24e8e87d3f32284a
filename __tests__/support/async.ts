import { setTimeout as delay } from 'node:timers/promises';

export { collect } from './collect.js';

/** The first answer that is neither undefined nor an error. Asks again and again, for at most 10 seconds. */
export async function eventually<T>(call: () => T | undefined | Promise<T | undefined>): Promise<T> {
  let problem: unknown;
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await delay(10)) {
    try {
      const answer = await call();
      if (answer !== undefined) return answer;
    } catch (error) {
      problem = error;
    }
  }
  throw new Error(`There was no answer within 10 seconds: ${problem}`, { cause: problem });
}
