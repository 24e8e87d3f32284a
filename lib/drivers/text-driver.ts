import type { SessionContext } from '../context.js';
import type { Core } from '../core.js';
import { mergeRecords, type SessionRecord } from '../merge.js';
import { parseRecord } from '../record.js';
import type { Callback, Session } from '../session.js';
import type { SessionStore } from '../stores/store.js';
import type { LoadCallback, StoreDriver } from './driver.js';

/** How often a write is tried again when other requests keep changing the same session. */
const ATTEMPTS = 20;

const EMPTY: SessionRecord = {};

/**
 * Uses a store of text. A write names the text that it replaces, so that a change of another request in between is
 * seen, merged and kept, and a session that was destroyed in between stays so.
 */
export class TextDriver implements StoreDriver {
  readonly canTouch = true;
  readonly #core: Core;
  readonly #store: SessionStore;
  /** The store keeps the cookie's new end of life in the record, as express-session's MemoryStore does. */
  readonly #rewriteOnTouch: boolean;

  constructor(core: Core, store: SessionStore, { rewriteOnTouch }: { rewriteOnTouch: boolean }) {
    this.#core = core;
    this.#store = store;
    this.#rewriteOnTouch = rewriteOnTouch;
  }

  load(context: SessionContext, id: string, done: LoadCallback): void {
    callBack(async () => {
      const text = await this.#store.get(id);
      const record = text === undefined ? null : (parseRecord(text) ?? null);
      if (record) context.stored = context.seen = text;
      return record;
    }, done);
  }

  write(context: SessionContext, session: Session, done: Callback): void {
    callBack(() => this.#write(context, session), done);
  }

  touch(context: SessionContext, session: Session, done: Callback): void {
    callBack(() => this.#touch(context, session), done);
  }

  destroy(_context: SessionContext, id: string, done: Callback): void {
    callBack(() => this.#store.destroy(id), done);
  }

  /** Nothing is asked of the store yet: the new session is stored first, and then the old one destroyed. */
  regenerate(context: SessionContext, done: Callback): void {
    callBack(async () => {
      context.retire(context.req.sessionID);
      this.#core.generate(context.req);
    }, done);
  }

  async #write(context: SessionContext, session: Session): Promise<void> {
    if (context.isDestroyed(session)) return;
    const mine = JSON.stringify(session);
    const expires = this.#expiryOf(session);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const text = this.#merged(context, mine);
      const written = await this.#store.set(session.id, text, { expires, expected: context.stored ?? null });
      if (written) {
        context.stored = text;
        context.seen = mine;
        return;
      }
      const now = await this.#store.get(session.id);
      if (now === undefined && context.stored !== undefined) return context.interrupt(session);
      context.stored = now;
    }
    throw new Error('too many conflicts');
  }

  /** What to store: `mine`, or, if others have written since this request last saw the record, both changes. */
  #merged(context: SessionContext, mine: string): string {
    const { stored, seen } = context;
    const theirs = stored === seen || stored === undefined ? undefined : parseRecord(stored);
    if (!theirs) return mine;
    const base = (seen === undefined ? undefined : parseRecord(seen)) ?? EMPTY;
    return JSON.stringify(mergeRecords(base, JSON.parse(mine), theirs));
  }

  async #touch(context: SessionContext, session: Session): Promise<void> {
    const expires = this.#expiryOf(session);
    if (this.#rewriteOnTouch && context.stored === context.seen && context.stored !== undefined) {
      const text = JSON.stringify(session);
      if (await this.#store.set(session.id, text, { expires, expected: context.stored })) {
        context.stored = context.seen = text;
        return;
      }
    }
    if (!(await this.#store.touch(session.id, expires))) context.interrupt(session);
  }

  /** The store's expiry: the cookie's, or `ttl` from now for a cookie that lasts until the browser is closed. */
  #expiryOf(session: Session): number {
    const expires: unknown = session.cookie?.expires;
    const at = expires instanceof Date ? expires.getTime() : Number.NaN;
    return Number.isNaN(at) ? Date.now() + this.#core.settings.ttl : at;
  }
}

/** Calls back with what a promise comes to. An error that the callback itself throws is not taken for the store's. */
function callBack<T>(operation: () => Promise<T>, done: (error: unknown, value?: T) => void): void {
  operation().then(
    (value) => done(undefined, value),
    (error) => done(error ?? new Error('the session store failed without an error')),
  );
}
