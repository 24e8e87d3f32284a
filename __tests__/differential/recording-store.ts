import type { EventEmitter } from 'node:events';
import type { Fault, Operation, StoreSpec } from './scenario.js';
import type { Subject } from './subjects.js';

/** One call of the store, with its arguments as they were at that moment. */
export interface Call {
  operation: Operation;
  id: unknown;
  /** The session as JSON, for `set` and `touch`. */
  session?: string;
  /** What stores read from the live cookie to compute a TTL, for `set` and `touch`. */
  lifetime?: { expires: string; maxAge: unknown; originalMaxAge: unknown };
}

export interface RecordingStore extends EventEmitter {
  /** What is stored, as text. */
  readonly records: Map<string, string>;
  /** Calls that have not called back. */
  pending(): number;
  /** Hands over what was called since the last time. */
  takeCalls(): Call[];
}

type Callback = ((error?: unknown, session?: unknown) => void) | undefined;
type Live = { cookie: { expires: unknown; maxAge: unknown; originalMaxAge: unknown } };

/** A callback store that extends the subject's own `Store`, keeps text, and records every call. */
export function makeRecordingStore(subject: Subject, spec: StoreSpec): RecordingStore {
  class Recording extends subject.Store {
    readonly records = new Map(Object.entries(spec.records ?? {}));
    #calls: Call[] = [];
    #pending = 0;
    readonly #seen = { get: 0, set: 0, touch: 0, destroy: 0 };

    get(id: string, callback: Callback): void {
      this.perform({ operation: 'get', id }, callback, () => {
        const text = this.records.get(id);
        return text === undefined ? [...missing[spec.missing]] : [null, JSON.parse(text)];
      });
    }

    set(id: string, session: Live, callback: Callback): void {
      const call: Call = { operation: 'set', id, ...snapshot(session) };
      this.perform(call, callback, () => {
        this.records.set(id, call.session!);
        return [];
      });
    }

    destroy(id: string, callback: Callback): void {
      this.perform({ operation: 'destroy', id }, callback, () => {
        this.records.delete(id);
        return [];
      });
    }

    /** Records the call, then does the work and calls back in one go, after the turns that the spec asks for. */
    protected perform(call: Call, callback: Callback, work: () => unknown[]): void {
      this.#calls.push(call);
      const fault = this.#faultOf(call.operation);
      if (fault?.throws) throw errorOf(fault);
      this.#pending++;
      afterTurns(spec.turns, () => {
        this.#pending--;
        const answer = fault ? [errorOf(fault)] : work();
        callback?.(...answer);
      });
    }

    #faultOf(operation: Operation): Fault | undefined {
      const count = ++this.#seen[operation];
      return spec.faults?.find((fault) => fault.operation === operation && fault.on === count);
    }

    pending(): number {
      return this.#pending;
    }

    takeCalls(): Call[] {
      const calls = this.#calls;
      this.#calls = [];
      return calls;
    }
  }

  class Touchable extends Recording {
    touch(id: string, session: Live, callback: Callback): void {
      const call: Call = { operation: 'touch', id, ...snapshot(session) };
      this.perform(call, callback, () => {
        const text = this.records.get(id);
        if (text !== undefined) {
          const cookie = JSON.parse(call.session!).cookie;
          this.records.set(id, JSON.stringify({ ...JSON.parse(text), cookie }));
        }
        return [];
      });
    }
  }

  return spec.touch ? new Touchable() : new Recording();
}

const missing = {
  undefined: [],
  null: [null, null],
  ENOENT: [Object.assign(new Error('no such record'), { code: 'ENOENT' })],
} as const;

function snapshot(session: Live): Pick<Call, 'session' | 'lifetime'> {
  const { expires, maxAge, originalMaxAge } = session.cookie;
  return {
    session: JSON.stringify(session),
    lifetime: { expires: printDate(expires), maxAge, originalMaxAge },
  };
}

function printDate(value: unknown): string {
  return value instanceof Date ? `Date ${value.getTime()}` : String(value);
}

function errorOf({ operation, on, code }: Fault): Error {
  const error = new Error(`${operation} ${on} failed`);
  return code === undefined ? error : Object.assign(error, { code });
}

function afterTurns(turns: number, callback: () => void): void {
  if (turns === 0) callback();
  else setImmediate(() => afterTurns(turns - 1, callback));
}
