import session from '../../lib/index.js';
import { type Gate, gate } from '../support/http.js';

/** A store each write of which can be held, before it is done or when it has been. */
export function poolStore({ done = false } = {}) {
  const { texts } = new session.MemoryStore();
  const held: Gate[] = [];
  let holds: ('before' | 'after' | undefined)[] = [];
  const store: session.SessionStore = {
    get: (id) => texts.get(id),
    async set(...args) {
      const hold = holds.shift();
      if (!hold) return texts.set(...args);
      const { opened, open } = gate();
      held.push({ opened, open });
      if (hold === 'before') await opened;
      const result = await texts.set(...args);
      if (hold === 'after') await opened;
      return result;
    },
    touch: (id, expires) => texts.touch(id, expires),
    destroy: (id) => texts.destroy(id),
  };
  return {
    store,
    /** Holds the next writes. */
    holdNext(writes: number) {
      holds = Array.from({ length: writes }, () => (done ? 'after' : 'before'));
    },
    hold(...next: typeof holds) {
      holds = next;
    },
    release: (write: number) => held[write]!.open(),
    async data(id: string) {
      const text = await texts.get(id);
      if (text === undefined) return undefined;
      const { cookie: _, ...data } = JSON.parse(text);
      return data;
    },
  };
}
