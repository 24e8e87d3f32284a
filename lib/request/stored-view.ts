import { jsonOf, NO_DATA, type UnreadRecord } from '../record.js';

/**
 * What a request knows of a stored session: `stored` is what the store is known to hold, `seen` what the request's own
 * session looked like then. They differ once another request's changes have been merged in.
 */
export interface StoredView {
  readonly id: string;
  stored: string | undefined;
  /** How often that has been learnt: a read that was begun before the last time may be out of date. */
  learnt: number;
  /** How often it has been read again. */
  reads: number;
  seen: string | undefined;
  /** What writes have tried to store that are not answered yet, or have failed: any of it may be stored all the same. */
  tried: readonly Tried[];
  /** What `stored` was, if it was merely read. */
  read: UnreadRecord | undefined;
  /** The expiry that reading or writing the record has given it already, in epoch milliseconds. */
  touchedUntil: number | undefined;
  /** That of an id which the session had before. */
  readonly earlier: StoredView | undefined;
}

/** A write: what the session looked like then, and what had been seen of it before. */
export interface Tried {
  readonly seen: string | undefined;
  readonly mine: string;
  /** It stores another text than it expects: once it has succeeded, no earlier write that expects the same can. */
  readonly isChange: boolean;
  /** The store has not answered yet. */
  isUnderWay: boolean;
  readonly answer: Promise<unknown>;
  /** How often the record had been read again when it began. */
  readonly reads: number;
}

const NOTHING_TRIED: readonly Tried[] = [];

/** Of more writes without an answer the first ones are forgotten: each holds on to a text. */
const MOST_TRIED = 16;

/** The view of this id, of those that the session's earlier ids have had too; mostly there is one in all. */
export function findView(latest: StoredView | undefined, id: string): StoredView | undefined {
  let view = latest;
  while (view && view.id !== id) view = view.earlier;
  return view;
}

/** The views of one request. There are several only if the session's id has changed, or the session was reloaded. */
interface Views {
  latestView: StoredView | undefined;
  /** Of sessions in whose place a reload has put another. */
  formerViews: WeakMap<object, StoredView> | undefined;
  /** What the session was when the request got it. */
  readonly history: { readonly originalId: string | undefined; readonly originalText: string | undefined };
}

/** The view that a session has of the record under an id of its own. */
export function viewOf(views: Views, session: object, id: string): StoredView {
  const former = views.formerViews?.get(session);
  if (!former) return latestViewOf(views, id);
  const known = findView(former, id);
  if (known) return known;
  const view = firstView(views, id, former);
  views.formerViews?.set(session, view);
  return view;
}

/**
 * The view of a session that has just been read. The one in whose place it is put, if there is one, keeps its own: it may be
 * being stored.
 */
export function viewOfLoaded(
  views: Views,
  replaced: { readonly id: string } | undefined,
  id: string,
): StoredView {
  if (!replaced || views.formerViews?.has(replaced)) return latestViewOf(views, id);
  views.formerViews ??= new WeakMap();
  views.formerViews.set(replaced, viewOf(views, replaced, replaced.id));
  views.latestView = newView(id, undefined, views.latestView);
  return views.latestView;
}

function latestViewOf(views: Views, id: string): StoredView {
  const known = findView(views.latestView, id);
  if (known) return known;
  views.latestView = firstView(views, id, views.latestView);
  return views.latestView;
}

function firstView({ history }: Views, id: string, earlier: StoredView | undefined): StoredView {
  return newView(id, id === history.originalId ? history.originalText : undefined, earlier);
}

/** Notes what a read or a write has told of the record. */
export function learn(view: StoredView, stored: string | undefined): void {
  view.stored = stored;
  view.learnt++;
}

/** A write has begun. */
export function beginTrying(
  view: StoredView,
  { seen, mine, isChange }: Pick<Tried, 'seen' | 'mine' | 'isChange'>,
  answer: Promise<unknown>,
): Tried {
  const tried: Tried = { seen, mine, isChange, isUnderWay: true, answer, reads: view.reads };
  const answered = () => {
    tried.isUnderWay = false;
  };
  answer.then(answered, answered);
  view.tried = [...view.tried.slice(1 - MOST_TRIED), tried];
  return tried;
}

/** The write has been answered. @returns whether no later one has been answered before, so that this tells something new */
export function endTrying(view: StoredView, tried: Tried, written: boolean): boolean {
  if (written && view.reads !== tried.reads) return false; // it may have been done before that was read, or after it
  const at = view.tried.indexOf(tried);
  const rulesOut = written && tried.isChange;
  view.tried = rulesOut ? view.tried.slice(at + 1) : view.tried.filter((other) => other !== tried);
  return at >= 0;
}

/**
 * Whether a write of what is known to be stored has to wait for others. Should it succeed, each of them may have been done
 * before it or be done after it.
 */
export function isWriteUnderWay({ tried }: StoredView): boolean {
  return tried.some(isUnderWay);
}

function isUnderWay(tried: Tried): boolean {
  return tried.isUnderWay;
}

export async function whenAnswered({ tried }: StoredView): Promise<void> {
  await Promise.allSettled(tried.map(({ answer }) => answer));
}

/** What a session without data looks like: made once, since each new one needs it. */
const EMPTY: string = jsonOf(NO_DATA);

/** @param data the session's data that the request has seen, if nothing else is known yet */
export function newView(id: string, data: string | undefined, earlier: StoredView | undefined): StoredView {
  const seen = data === NO_DATA ? EMPTY : data && jsonOf(data);
  return {
    id,
    stored: undefined,
    learnt: 0,
    reads: 0,
    read: undefined,
    touchedUntil: undefined,
    seen,
    tried: NOTHING_TRIED,
    earlier,
  };
}
