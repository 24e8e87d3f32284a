import type { OwnedRecord, SessionStore } from '../stores/store.js';
import { fail, failure } from './check.js';

const HANGS = 'a request that waits for it hangs, and with it the browser tab and a server socket.';

/**
 * The store with each call watched: it must give a promise, rather than throw or answer at once, and the promise must
 * settle in time. So must each step through a listing.
 */
export function guarded(store: SessionStore, patience: number): SessionStore {
  const watch = async <T>(method: string, call: () => Promise<T>) =>
    settled(method, promiseOf(method, call), patience);
  const watchRecord = (record: OwnedRecord): OwnedRecord => ({
    key: record.key,
    value: record.value,
    matches: (id) => record.matches(id),
    destroy: (...owner) => watch('destroy() of a record from owned()', () => record.destroy(...owner)),
  });
  return {
    get: (id) => watch('get()', () => store.get(id)),
    set: (id, value, how) => watch('set()', () => store.set(id, value, how)),
    touch: (id, expires, ...owner) => watch('touch()', () => store.touch(id, expires, ...owner)),
    destroy: (id, ...owner) => watch('destroy()', () => store.destroy(id, ...owner)),
    ...(store.getAndTouch && {
      getAndTouch: (id: string, expires: number) =>
        watch('getAndTouch()', () => store.getAndTouch!(id, expires)),
    }),
    ...(store.owned && {
      owned: (owner: string) => listed('owned()', () => store.owned!(owner), patience, watchRecord),
    }),
    ...(store.ids && {
      ids: () =>
        listed(
          'ids()',
          () => store.ids!(),
          patience,
          (id) => id,
        ),
    }),
    ...(store.onDestroy && {
      onDestroy: (listener: (id: string) => void) => watch('onDestroy()', () => store.onDestroy!(listener)),
    }),
    ...(store.atomic !== undefined && { atomic: store.atomic }),
  };
}

/** What `answer` comes to, if that takes no longer than `patience` ms. */
export async function settled<T>(
  method: string,
  answer: Promise<T>,
  patience: number,
  why: string = HANGS,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(failure(`${method} must settle: nothing came in ${patience} ms.`, why)),
      patience,
    );
  });
  try {
    return await Promise.race([answer, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function promiseOf<T>(method: string, call: () => Promise<T>): Promise<T> {
  let answer: Promise<T> | undefined;
  try {
    answer = call();
  } catch (error) {
    fail(
      `${method} must reject when something is wrong, and never throw.`,
      'an error that is thrown misses the `catch` of a promise and can end the process.',
      error,
    );
  }
  if (typeof answer?.then === 'function') return answer;
  return fail(`${method} must return a promise.`, 'the core awaits it to know when the work is done.');
}

async function* listed<T>(
  method: string,
  list: () => AsyncIterable<T>,
  patience: number,
  watchItem: (item: T) => T,
): AsyncGenerator<T> {
  const items = list();
  if (typeof items?.[Symbol.asyncIterator] !== 'function') {
    fail(
      `${method} must return an async iterable, as an async generator does.`,
      'the core takes one after the other, so that a long list need not be in memory.',
    );
  }
  const iterator = items[Symbol.asyncIterator]();
  let isPaused = false; // only then does the iterator have to be told that no more is wanted
  try {
    for (;;) {
      const { done, value } = await settled(method, iterator.next(), patience);
      if (done) return;
      isPaused = true;
      yield watchItem(value);
      isPaused = false;
    }
  } finally {
    if (isPaused) await iterator.return?.();
  }
}
