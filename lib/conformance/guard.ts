import type { SessionStore } from '../stores/store.js';
import { fail, failure } from './check.js';

/**
 * The store with each call watched: it must give a promise, rather than throw or answer at once, and the promise must
 * settle in time.
 */
export function guarded(store: SessionStore, patience: number): SessionStore {
  const watch = <T>(method: string, call: () => Promise<T>) =>
    settled(method, promiseOf(method, call), patience);
  return {
    get: (id) => watch('get', () => store.get(id)),
    set: (id, value, how) => watch('set', () => store.set(id, value, how)),
    touch: (id, expires, ...owner) => watch('touch', () => store.touch(id, expires, ...owner)),
    destroy: (id) => watch('destroy', () => store.destroy(id)),
    ...(store.getAndTouch && {
      getAndTouch: (id: string, expires: number) =>
        watch('getAndTouch', () => store.getAndTouch!(id, expires)),
    }),
    ...(store.owned && { owned: (owner: string) => store.owned!(owner) }),
    ...(store.ids && { ids: () => store.ids!() }),
    ...(store.onDestroy && {
      onDestroy: (listener: (id: string) => void) => watch('onDestroy', () => store.onDestroy!(listener)),
    }),
    ...(store.atomic !== undefined && { atomic: store.atomic }),
  };
}

function promiseOf<T>(method: string, call: () => Promise<T>): Promise<T> {
  let answer: Promise<T> | undefined;
  try {
    answer = call();
  } catch (error) {
    fail(
      `${method}() must reject when something is wrong, and never throw.`,
      'an error that is thrown misses the `catch` of a promise and can end the process.',
      error,
    );
  }
  if (typeof answer?.then === 'function') return answer;
  return fail(`${method}() must return a promise.`, 'the core awaits it to know when the work is done.');
}

async function settled<T>(method: string, answer: Promise<T>, patience: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(hanging(method, patience)), patience);
  });
  try {
    return await Promise.race([answer, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function hanging(method: string, patience: number): Error {
  return failure(
    `${method}() must settle: nothing came in ${patience} ms.`,
    'a request that waits for it hangs, and with it the browser tab and a server socket.',
  );
}
