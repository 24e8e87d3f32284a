import { AsyncLocalStorage } from 'node:async_hooks';
import timers from 'node:timers/promises';

/** Whose steps these are. One for all schedulers: Node keeps each for ever. */
const actors = new AsyncLocalStorage<number>();

/**
 * Decides in which order the steps of several requests happen. Every step waits at a gate; when nothing else moves
 * any more, one gate is opened. The choices alone determine a run, so that it can be repeated, and all runs listed.
 */
export class Scheduler {
  /** What has happened so far, for whoever has to understand a run that went wrong. */
  readonly trace: string[] = [];
  /** Whose step the last one was. */
  lastActor: number | undefined;
  #waiting: Gate[] = [];
  #open = false;

  /** All steps that follow from `work` are `actor`'s. */
  as(actor: number, work: () => void): void {
    actors.run(actor, work);
  }

  /** Waits until this step is chosen. */
  pass(step: string): Promise<void> {
    if (this.#open) return Promise.resolve();
    return new Promise((pass) => {
      this.#waiting.push({ step, actor: actors.getStore(), pass });
    });
  }

  /** While `work` runs, all gates are open: for what comes before the part that is examined. */
  async freely<T>(work: () => Promise<T>): Promise<T> {
    this.#open = true;
    try {
      return await work();
    } finally {
      this.#open = false;
    }
  }

  /** Opens one gate after the other until no step waits. `afterEach` is called when all that follows has happened. */
  async run(choose: Choose, afterEach: () => void): Promise<void> {
    for (await quiet(); this.#waiting.length > 0; await quiet()) {
      const [gate] = this.#waiting.splice(choose(this.#waiting.length), 1);
      this.trace.push(`${gate!.actor}: ${gate!.step}`);
      this.lastActor = gate!.actor;
      gate!.pass();
      await quiet();
      if (this.trace.length > MOST_STEPS) throw new Error(`this never ends:\n${this.trace.join('\n')}`);
      afterEach();
    }
  }
}

/** Chooses one of so many, by its index. */
export type Choose = (among: number) => number;

/** Far more than the longest run needs. */
const MOST_STEPS = 1000;

interface Gate {
  step: string;
  actor: number | undefined;
  pass(): void;
}

/** Waits until nothing moves but by a gate: promises, ticks and immediates are done. */
async function quiet(): Promise<void> {
  await immediate();
  await immediate();
}

function immediate(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Stops the clock, so that runs repeat and expiry can be brought about, and lets nobody wait before trying again: who
 * comes first is for the scheduler to say. {@link restoreClock} undoes it.
 */
export function stopClock(): void {
  const goOn = ['setImmediate', 'clearImmediate', 'nextTick', 'queueMicrotask', 'hrtime', 'performance'];
  jest.useFakeTimers({ doNotFake: goOn as never, now: Date.UTC(2026, 0) });
  jest.spyOn(timers, 'setTimeout').mockResolvedValue(undefined);
}

export function restoreClock(): void {
  jest.restoreAllMocks();
  jest.useRealTimers();
}

/** Runs `once` with every possible list of choices, and resolves to their number. */
export async function exhaustively(once: (choose: Choose) => Promise<void>): Promise<number> {
  let prefix: number[] = [];
  for (let runs = 1; ; runs++) {
    const choices: { chosen: number; among: number }[] = [];
    await once((among) => {
      const chosen = prefix[choices.length] ?? 0;
      choices.push({ chosen, among });
      return chosen;
    });
    while (choices.length > 0 && choices.at(-1)!.chosen === choices.at(-1)!.among - 1) choices.pop();
    if (choices.length === 0) return runs;
    prefix = choices.map(({ chosen }) => chosen);
    prefix[prefix.length - 1]! += 1;
  }
}

/** Pseudo-random choices: the same for the same seed (mulberry32). */
export function randomly(seed: number): Choose {
  let state = seed >>> 0;
  return (among) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return ((word ^ (word >>> 14)) >>> 0) % among;
  };
}
