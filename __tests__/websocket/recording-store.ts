import session from '../../lib/index.js';

type Callback = (error?: any, value?: any) => void;

/** A store as made for express-session. */
export class RecordingStore extends session.Store {
  readonly records = new Map<string, string>();

  get(id: string, callback: Callback): void {
    const text = this.records.get(id);
    setImmediate(callback, null, text === undefined ? null : JSON.parse(text));
  }

  set(id: string, data: object, callback: Callback = () => {}): void {
    this.records.set(id, JSON.stringify(data));
    setImmediate(callback);
  }

  destroy(id: string, callback: Callback = () => {}): void {
    this.records.delete(id);
    setImmediate(callback);
  }

  data(): Record<string, unknown>[] {
    return [...this.records.values()].map((text) => {
      const { cookie: _, ...data } = JSON.parse(text);
      return data;
    });
  }
}
