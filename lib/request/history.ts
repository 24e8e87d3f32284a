import { type Attributes, attributesOf, type Cookie, haveSameAttributes } from '../cookies/cookie.js';
import { dataText, textNow, type WholeText } from '../record.js';
import type { Session } from '../session.js';
import { Snapshot } from '../snapshot.js';

const NONE: readonly string[] = [];

/** What a session was when the request got it, and what has been stored of it since. Texts are those of its data. */
export class SessionHistory {
  /** The id that the session came with. */
  originalId: string | undefined;
  originalText: string | undefined;
  /** The text that was last found to be another. To compare two of the same length takes 30 ns, and is done three times. */
  #otherText: string | undefined;
  #originalAttributes: Attributes | undefined;
  /** What a save of this request has stored, or what need not be saved since it was loaded. */
  #savedText: string | undefined;
  /** The cookie's attributes then, if a change of them is one of the session. */
  #savedAttributes: Attributes | undefined;
  /** The id under which this request has stored the session, or tried to; and the ones before it. */
  #savedId: string | undefined;
  #formerIds: readonly string[] = NONE;
  /** What the session was at the last commit: what differs when all is over was changed after it. */
  committedText: string | undefined;
  /** The same value by value. */
  #snapshot: Snapshot | undefined;
  /** The session as it was read, or, if it has changed, as it is going to be stored; see {@link textNow}. */
  whole: WholeText | undefined;

  /**
   * @param text the data of the session
   * @param trackCookie whether a change of the cookie's attributes is a change of the session
   */
  begin(id: string, text: string, cookie: Cookie | undefined, trackCookie: boolean): void {
    this.originalId = id;
    this.originalText = text;
    this.#otherText = undefined;
    this.committedText = this.originalText;
    this.#savedText = undefined;
    if (trackCookie && cookie) this.#originalAttributes = attributesOf(cookie);
  }

  /** The text of the session's data as they are now. */
  dataOf(session: Session): string {
    const { committedText } = this;
    if (committedText === undefined) return dataText(session);
    const now = textNow(session, committedText, this.whole);
    if (typeof now === 'string') return now;
    this.whole = now;
    return now.data;
  }

  /** A commit begins. @param session there if somebody has looked at it @param text its data */
  commit(session: Session | undefined, text: string | undefined): void {
    this.committedText = text;
    this.#dropSnapshot();
    this.#snapshot = session && Snapshot.of(session, 'cookie', text as string);
  }

  /** As {@link dataOf}, for the last look: it is likely that nothing has changed since the commit, and nothing will be stored. */
  finalDataOf(session: Session): string {
    const text = this.#snapshot?.textOf(session, 'cookie');
    this.#dropSnapshot();
    return text ?? dataText(session, this.committedText, this.whole);
  }

  /** Another one may use it from now on, whatever happens here. */
  #dropSnapshot(): void {
    const snapshot = this.#snapshot;
    this.#snapshot = undefined;
    snapshot?.release();
  }

  /** The data as they were loaded count as saved. */
  loadedIsSaved(): void {
    this.#savedText = this.originalText;
    this.#savedAttributes = this.#originalAttributes;
  }

  saved({ id, cookie }: Session, text: string | undefined): void {
    if (!this.hasSaved(id)) {
      if (this.#savedId !== undefined) this.#formerIds = [...this.#formerIds, this.#savedId];
      this.#savedId = id;
    }
    this.#savedText = text;
    if (this.#originalAttributes && cookie) this.#savedAttributes = attributesOf(cookie);
    this.committedText = text;
  }

  /** The save has failed, and yet may have stored something: nobody can tell what is saved. */
  notSaved(): void {
    this.#savedText = undefined;
  }

  hasSaved(id: string): boolean {
    return this.#savedId === id || this.#formerIds.includes(id);
  }

  isModified(session: Session, text: string | undefined): boolean {
    return this.originalId !== session.id || !this.#isOriginal(text) || this.cookieChanged(session);
  }

  cookieChanged(session: Session | undefined): boolean {
    return differs(this.#originalAttributes, session?.cookie);
  }

  /** Whether the session has been stored, or was loaded, under its present id and as it is now. */
  savedState(session: Session | undefined, text: string | undefined): 'never' | 'stale' | 'current' {
    if (this.#savedText === undefined) return 'never';
    const isSameText =
      this.#savedText === this.originalText ? this.#isOriginal(text) : this.#savedText === text;
    const isSame = isSameText && !differs(this.#savedAttributes, session?.cookie);
    return this.originalId === session?.id && isSame ? 'current' : 'stale';
  }

  #isOriginal(text: string | undefined): boolean {
    if (text !== undefined && text === this.#otherText) return false;
    const isOriginal = text === this.originalText;
    if (!isOriginal) this.#otherText = text;
    return isOriginal;
  }
}

/** Whether a cookie has other attributes than it had; not if nobody wants to know. */
function differs(before: Attributes | undefined, now: Cookie | undefined): boolean {
  return before !== undefined && !(now && haveSameAttributes(before, now));
}
