import { type Call, makeRecordingStore, type RecordingStore } from './recording-store.js';
import type { StoreSpec } from './scenario.js';
import type { Subject } from './subjects.js';

type MemoryStore = InstanceType<Subject['MemoryStore']>;

/** The store of a scenario, and what can be seen of it. */
export interface ObservedStore {
  /** `undefined`: the subject is to make its own. */
  store: RecordingStore | MemoryStore | undefined;
  /** Calls that have not called back. */
  pending(): number;
  takeCalls(): Call[];
  /** Id to JSON text. */
  stored(): Promise<Record<string, string>>;
}

export function makeStore(subject: Subject, spec: StoreSpec): ObservedStore {
  const unseen = { pending: () => 0, takeCalls: () => [] };
  if (spec.kind === 'default') return { store: undefined, ...unseen, stored: async () => ({}) };
  if (spec.kind === 'memory') {
    const store = new subject.MemoryStore();
    for (const [id, text] of Object.entries(spec.records ?? {})) store['set'](id, JSON.parse(text), () => {});
    return { store, ...unseen, stored: () => allOf(store) };
  }
  const store = makeRecordingStore(subject, spec);
  return {
    store,
    pending: () => store.pending(),
    takeCalls: () => store.takeCalls(),
    stored: async () => Object.fromEntries(store.records),
  };
}

function allOf(store: MemoryStore): Promise<Record<string, string>> {
  return new Promise((resolve, reject) => {
    store['all']((error: Error | null, sessions: Record<string, unknown>) => {
      if (error) return reject(error);
      const texts = Object.entries(sessions).map(([id, session]) => [id, JSON.stringify(session)]);
      resolve(Object.fromEntries(texts));
    });
  });
}

/** Ends the timer of a memory store that has one. */
export function closeStore(store: unknown): void {
  (store as { close?(): void } | null | undefined)?.close?.();
}
