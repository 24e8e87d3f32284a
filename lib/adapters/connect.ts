import { Queues } from '../drivers/contention.js';
import type { SessionData } from '../session.js';
import type { Store } from '../stores/connect-store.js';
import type { SessionStore, SetOptions } from '../stores/store.js';

// placeholder by the lead, to be replaced by the adapter's author
export function fromConnectStore(store: Store): SessionStore {
  const locks = new Queues();
  const call = (run: (done: (error?: any, value?: any) => void) => void) =>
    new Promise<any>((resolve, reject) => run((error, value) => (error ? reject(error) : resolve(value))));
  const read = async (id: string): Promise<string | undefined> => {
    const data = await call((done) => store.get(id, done));
    return data ? JSON.stringify(data) : undefined;
  };
  return {
    atomic: false,
    get: (id) => read(id),
    set: (id: string, text: string, { expected }: SetOptions) =>
      locks.run(id, async () => {
        if (expected !== undefined && ((await read(id)) ?? null) !== expected) return false;
        await call((done) => store.set(id, JSON.parse(text) as SessionData, done));
        return true;
      }),
    touch: (id, expires) =>
      locks.run(id, async () => {
        const data = await call((done) => store.get(id, done));
        if (!data) return false;
        data.cookie.expires = new Date(expires);
        if ((store as any).touch) await call((done) => (store as any).touch(id, data, done));
        return true;
      }),
    destroy: (id) => locks.run(id, () => call((done) => store.destroy(id, done))),
  };
}
