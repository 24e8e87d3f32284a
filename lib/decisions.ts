import type { IncomingMessage } from 'node:http';
import { messageOf } from './errors.js';
import type { CookieAction, SessionFacts, StoreAction } from './lifecycle.js';
import { warnOnce } from './warnings.js';

/** What is to happen to the stored record or to the browser's cookie, which may be `withheld` for want of HTTPS. */
export type DecisionMade =
  | { what: 'store'; action: StoreAction }
  | { what: 'cookie'; action: CookieAction; withheld: boolean };

/** What was decided for one response, and on which facts. */
export type Decision = DecisionMade & { id: string; req: IncomingMessage; facts: SessionFacts };

/** Tells whoever looks on, such as the inspector, what the lifecycle table has decided. Costs nothing while nobody does. */
export class Decisions {
  #observers: ((decision: Decision) => void)[] = [];

  /** @returns what ends it */
  observe(observer: (decision: Decision) => void): () => void {
    this.#observers = [...this.#observers, observer];
    return () => {
      this.#observers = this.#observers.filter((each) => each !== observer);
    };
  }

  get areObserved(): boolean {
    return this.#observers.length > 0;
  }

  tell(decision: Decision): void {
    try {
      for (const observer of this.#observers) observer(decision);
    } catch (error) {
      warnOnce('WARN_SESSION_ERROR', messageOf(error));
    }
  }
}
