import { fromLoadSave, type LoadSaveBackend } from '../../lib/adapters/load-save.js';
import { conformance } from '../../lib/conformance/index.js';
import { CALLBACK_STORE } from './connect-kit.js';

/** MicroPie's in-memory back end, line by line: sessions and when each was last used, in dictionaries. */
class InMemoryBackend implements LoadSaveBackend {
  readonly sessions = new Map<string, object>();
  readonly ends = new Map<string, number>();

  load(id: string): object {
    const now = Date.now();
    if (this.sessions.has(id) && now < this.ends.get(id)!) return this.sessions.get(id)!;
    this.sessions.delete(id);
    this.ends.delete(id);
    return {};
  }

  save(id: string, data: object, seconds: number): void {
    if (Object.keys(data).length === 0 || seconds === 0) {
      this.sessions.delete(id);
      this.ends.delete(id);
    } else {
      this.sessions.set(id, data);
      this.ends.set(id, Date.now() + seconds * 1000);
    }
  }
}

/** The same with a network in between. */
class RemoteBackend implements LoadSaveBackend {
  readonly #memory = new InMemoryBackend();

  async load(id: string): Promise<object> {
    await new Promise((resolve) => setImmediate(resolve));
    return JSON.parse(JSON.stringify(this.#memory.load(id)));
  }

  async save(id: string, data: object, seconds: number): Promise<void> {
    const json = JSON.stringify(data);
    await new Promise((resolve) => setImmediate(resolve));
    this.#memory.save(id, JSON.parse(json), seconds);
  }
}

describe.each([
  ['answers at once', InMemoryBackend],
  ['answers by promise', RemoteBackend],
])('a back end that %s keeps the contract', (_, Backend) => {
  const backend = new Backend();
  const store = () => fromLoadSave(backend);
  conformance({
    test: test.concurrent,
    ...CALLBACK_STORE,
    ttlGranularity: 1000,
    store,
    second: store,
    separate: () => fromLoadSave(new Backend()),
  });
});

describe('what the back end is asked', () => {
  const TEXT = '{"cookie":{"path":"/"},"user":"alice"}';

  /** A back end that holds one session and writes down what it is asked to save. */
  function recording(found: object | null | undefined) {
    const saved: unknown[][] = [];
    const store = fromLoadSave({
      load: () => found,
      save: (...args) => void saved.push(args),
    });
    return { saved, store };
  }

  beforeEach(() => {
    jest.useFakeTimers({ now: Date.UTC(2029, 0), doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('to save data for whole seconds, rounded up', async () => {
    const { saved, store } = recording({});
    await store.set('id', TEXT, { expires: Date.now() + 1 });
    await store.set('id', TEXT, { expires: Date.now() + 60_000 });
    await store.set('id', TEXT, { expires: Date.now() + 60_001 });

    expect(saved).toEqual([1, 60, 61].map((seconds) => ['id', JSON.parse(TEXT), seconds]));
  });

  test('to save nothing for no time, when a session ends', async () => {
    const { saved, store } = recording(JSON.parse(TEXT));
    await store.destroy('id');
    await store.set('id', TEXT, { expires: Date.now() });
    await store.touch('id', Date.now());

    expect(saved).toEqual(Array(3).fill(['id', {}, 0]));
  });

  test('to save what is there for longer, on touch', async () => {
    const { saved, store } = recording(JSON.parse(TEXT));

    expect(await store.touch('id', Date.now() + 60_000)).toBe(true);
    expect(saved).toEqual([['id', JSON.parse(TEXT), 60]]);
  });

  test.each([[{}], [null], [undefined]])('%p is no session', async (found) => {
    const { saved, store } = recording(found);

    expect(await store.get('id')).toBe(undefined);
    expect(await store.touch('id', Date.now() + 1000)).toBe(false);
    expect(await store.set('id', TEXT, { expires: Date.now() + 1000, expected: TEXT })).toBe(false);
    expect(saved).toEqual([]);
    expect(await store.set('id', TEXT, { expires: Date.now() + 1000, expected: null })).toBe(true);
  });

  test('nothing, for a text that is no JSON of an object', async () => {
    const { saved, store } = recording({});

    await expect(store.set('id', '5', { expires: Date.now() + 1000 })).rejects.toMatchObject({
      code: 'ERR_SESSION_TEXT',
      message: expect.stringMatching(/^fromLoadSave\(\) stores objects, /),
    });
    expect(saved).toEqual([]);
  });
});

test('errors of both methods come out', async () => {
  const error = new Error('no connection');
  const thrown = fromLoadSave({
    load() {
      throw error;
    },
    save() {
      throw error;
    },
  });
  const rejected = fromLoadSave({ load: () => Promise.reject(error), save: () => Promise.reject(error) });

  for (const store of [thrown, rejected]) {
    await expect(store.get('id')).rejects.toBe(error);
    await expect(store.destroy('id')).rejects.toBe(error);
    await expect(store.set('id', '{"a":1}', { expires: Date.now() + 1000 })).rejects.toBe(error);
  }
});

test('a back end without one of the methods is refused', () => {
  expect(() => fromLoadSave({ load() {} } as any)).toThrow(
    'fromLoadSave() needs an object with the methods load(), save(), but it has no save();',
  );
});
