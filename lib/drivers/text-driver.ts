import { IdLock } from '../adapters/lock.js';
import type { Core } from '../core.js';
import type { SessionRecord } from '../merge.js';
import { type OwnedSession, revokeSessions, sessionsOf } from '../owners.js';
import type { SessionContext } from '../request/context.js';
import { findView } from '../request/stored-view.js';
import type { Session } from '../session.js';
import type { Fate } from '../sockets/sockets.js';
import type { SessionStore } from '../stores/store.js';
import { callBack, type TextStore } from './awaitable.js';
import type { Done, LoadCallback, StoreDriver } from './driver.js';
import { destroy, type EndDetails } from './text/destroy.js';
import { fateOf, lineOf } from './text/fate.js';
import { load } from './text/load.js';
import { type TextDriverMode, TextRecords } from './text/records.js';
import { rotate } from './text/rotation.js';
import { touch } from './text/touch.js';
import { update } from './text/update.js';
import { write } from './text/write.js';

/**
 * Uses a store of text. A write names the text that it replaces, so that a change of another request in between is
 * seen, merged and kept, and a session that was destroyed in between stays so.
 */
export class TextDriver implements StoreDriver {
  readonly canTouch = true;
  readonly #core: Core;
  readonly #store: TextStore;
  readonly #records: TextRecords;
  readonly #updates = new IdLock();

  constructor(core: Core, store: TextStore, mode: TextDriverMode) {
    this.#core = core;
    this.#store = store;
    this.#records = new TextRecords(core, store, mode);
  }

  load(context: SessionContext, id: string, done: LoadCallback): void {
    callBack(done, context, load, this.#records, context, id, 0);
  }

  write(context: SessionContext, session: Session, data: string, done: Done): void {
    callBack(done, context, write, this.#records, context, session, data);
  }

  touch(context: SessionContext, session: Session, data: string | undefined, done: Done): void {
    callBack(done, context, touch, this.#records, context, session, data);
  }

  destroy(context: SessionContext, id: string, done: Done): void {
    const stored = findView(context.latestView, id)?.stored;
    callBack(done, context, destroy, this.#records, id, {
      owner: this.#records.formerOwnerOf(context, stored),
    });
  }

  /** Destroys a session that no request is about. */
  end(id: string, details: EndDetails): Promise<void> {
    return destroy(this.#records, id, details);
  }

  /** Nothing is asked of the store yet: the new session is stored first, and then the old one destroyed. */
  regenerate(context: SessionContext, done: Done): void {
    callBack(done, context, async () => {
      context.retire(context.req.sessionID);
      this.#core.generate(context.req);
    });
  }

  /**
   * Runs `change` on a fresh copy of the stored session, together with what the request has changed itself, and stores
   * the result; runs it again when another request was faster. The live session then shows the result.
   *
   * Those of one session take turns, since each that comes between another's read and write makes it begin again. A store
   * that is silent keeps nobody waiting for more than one turn.
   */
  update<T>(
    context: SessionContext,
    session: Session,
    change: (draft: SessionRecord) => T | Promise<T>,
  ): Promise<T> {
    const { storeTimeout } = this.#core.settings;
    return this.#updates.run(session.id, () => update(this.#records, context, session, change), storeTimeout);
  }

  /** Stores the session under a new id, and leaves a pointer to it under the old one. */
  rotate(context: SessionContext, session: Session, done: Done): void {
    callBack(done, context, rotate, this.#records, context, session);
  }

  /** What has become of a session, for those who wait for its end. */
  fateOf(id: string): Promise<Fate> {
    return fateOf(this.#records, id);
  }

  /** The ids that a session has had since it had this one, this one among them. */
  lineOf(id: string): Promise<readonly string[]> {
    return lineOf(this.#records, id);
  }

  /** Whether the store can tell which sessions a user has. */
  get canList(): boolean {
    return Boolean(this.#store.owned ?? this.#store.ids);
  }

  /** A user's live sessions. */
  of(owner: string): AsyncGenerator<OwnedSession> {
    return sessionsOf(this.#core, this.#store as SessionStore, owner);
  }

  /** Destroys a user's sessions, but `except`. */
  revoke(owner: string, except?: string): Promise<number> {
    return revokeSessions(this.#core, this.#store as SessionStore, owner, except);
  }
}
