import type { ConformanceOptions } from '../../lib/conformance/index.js';
import type { ReferenceStore, Row } from './reference-store.js';

/** A store with one realistic fault. */
export interface BrokenStore {
  fault: string;
  /** The name of the check that is meant to catch it. */
  caughtBy: string;
  /** Checks that can't but fail with it. */
  also?: string[];
  Store: StoreClass;
  options?: Partial<ConformanceOptions>;
  /** Whether it shows only with two instances over the same data. */
  twoInstances?: boolean;
}

/** The class of a store that may be given the data of another one. */
export type StoreClass = new (rows?: Map<string, Row>) => ReferenceStore;

/** The event loop turns: whatever else was started goes on. */
export const tick = () => new Promise((resolve) => setImmediate(resolve));
