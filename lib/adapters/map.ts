import type { SessionStore, SetOptions } from '../stores/store.js';
import { unref } from '../timers.js';
import { requireMethods } from './backend.js';
import { isKeptText, type KeptText, liveText } from './kept-text.js';

/** Between two looks for expired records, in ms. */
const SWEEP_INTERVAL = 60_000;
/** How many records one look checks without a pause: a fraction of a millisecond. */
const SLICE = 1000;

/** A `Map`, or what works like one, such as an LRU cache: it answers at once, without promises. */
export interface MapLike {
  get(key: string): unknown;
  set(key: string, value: any): unknown;
  delete(key: string): unknown;
  /** Where there is none, ids can't be listed, and an expired record goes only when it is asked for. */
  keys?(): Iterable<string>;
}

/**
 * A `Map`, or what works like one, as a session store: for one process, and for tests that look at what is stored.
 * Since it answers at once, its conditional writes are atomic. Expired records are removed within about a minute.
 *
 * @throws TypeError if `map` lacks a method.
 */
export function fromMap(map: MapLike): SessionStore {
  requireMethods('fromMap', map, ['get', 'set', 'delete']);
  const sweeper = new MapSweeper(map);
  const get = (id: string): string | undefined => liveText(map.get(id));
  const put = (id: string, text: string, expires: number): void => {
    if (expires <= Date.now()) {
      map.delete(id);
      return;
    }
    map.set(id, { text, expires } satisfies KeptText);
    sweeper.expectWork();
  };

  return {
    get: async (id) => get(id),
    async set(id: string, text: string, { expires, expected }: SetOptions) {
      if (expected !== undefined && get(id) !== (expected ?? undefined)) return false;
      put(id, text, expires);
      return true;
    },
    async touch(id, expires) {
      const text = get(id);
      if (text !== undefined) put(id, text, expires);
      return text !== undefined;
    },
    async destroy(id) {
      map.delete(id);
    },
    close: () => sweeper.close(),
    ...(map.keys && { ids: () => liveIds(map as Required<MapLike>) }),
  };
}

async function* liveIds(map: Required<MapLike>): AsyncGenerator<string> {
  for (const id of [...map.keys()]) {
    if (liveText(map.get(id)) !== undefined) yield id;
  }
}

/** Removes expired records now and then, by a timer that runs only after writes and never keeps the process alive. */
class MapSweeper {
  readonly #map: MapLike;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(map: MapLike) {
    this.#map = map;
  }

  /** To be told of every write. */
  expectWork(): void {
    if (!this.#timer && !this.#closed && this.#map.keys)
      this.#wait(SWEEP_INTERVAL, () => this.#sweep(this.#records()));
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** Checks a slice of the records; then the next one, and when all are done, all again if any are left. */
  #sweep(records: Iterator<[string, KeptText]>, anyLeft = false): void {
    this.#timer = undefined;
    let left = anyLeft;
    for (let checked = 0; checked < SLICE; checked++) {
      const { value, done } = records.next();
      if (done) {
        if (left) this.expectWork();
        return;
      }
      const [id, { expires }] = value;
      if (expires <= Date.now()) this.#map.delete(id);
      else left = true;
    }
    this.#wait(1, () => this.#sweep(records, left));
  }

  *#records(): Generator<[string, KeptText]> {
    for (const id of this.#map.keys!()) {
      const record = this.#map.get(id);
      if (isKeptText(record)) yield [id, record];
    }
  }

  #wait(ms: number, then: () => void): void {
    this.#timer = setTimeout(then, ms);
    unref(this.#timer);
  }
}
