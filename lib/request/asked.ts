import { type Heritage, narrowed } from '../drivers/heritage.js';
import { SteadyError } from '../errors.js';
import type { SessionRecord } from '../merge.js';
import { dataText } from '../record.js';
import type { Callback, Session } from '../session.js';
import type { SessionContext } from './context.js';
import { destroyRetired, write } from './storing.js';
import { prolongSocket } from './touching.js';

// What the app asks for while it has the request: req.session.save() and its siblings.

export function save(context: SessionContext, session: Session, done: Callback): void {
  let text: string;
  try {
    text = dataText(session);
  } catch (error) {
    return done(error);
  }
  prolongSocket(context, session);
  context.history.saved(session, text);
  context.run(
    (error) => {
      // The app need not look at the outcome: the end of the response then tries again, and fails where it matters.
      if (error && context.core.settings.saveFailure === 'error') context.history.notSaved();
      done(error);
    },
    (finished) => write(context, session, text, finished),
  );
}

export function reload(context: SessionContext, session: Session, done: Callback): void {
  const { clears } = context.ending;
  context.run(done, (finished) =>
    context.driver.load(context, session.id, (error, data) => {
      if (error) return finished(error);
      if (!data || context.ending.clears !== clears) {
        if (context.isSocket) context.interrupt(session);
        return finished(new Error('failed to load session'));
      }
      try {
        context.core.createSession(context.req, data);
        prolongSocket(context, context.req.session as Session);
      } catch (unusable) {
        return finished(unusable);
      }
      finished();
    }),
  );
}

export function destroy(context: SessionContext, session: Session, done: Callback): void {
  const { id } = session;
  context.noteEnding({ destroyedId: id });
  context.lastCookie = session.cookie;
  context.run(done, (finished) => context.destroyRecord(id, finished));
}

export function regenerate(context: SessionContext, done: Callback): void {
  if (context.isSocket) {
    const text =
      'a session can get no new id over a socket, since no cookie can go out: regenerate it in an HTTP request, ' +
      'or in the upgrade option of websocket()';
    return done(new SteadyError('ERR_SESSION_NO_RESPONSE', text));
  }
  context.noteIds({ left: [...context.idChanges.left, context.req.sessionID] });
  context.run(done, (finished) => context.driver.regenerate(context, finished));
}

export function update<T>(
  context: SessionContext,
  session: Session,
  change: (data: SessionRecord) => T | Promise<T>,
): Promise<T> {
  prolongSocket(context, session);
  return new Promise((resolve, reject) => {
    let result: T;
    const settled: Callback = (error) => (error ? reject(error) : resolve(result));
    context.run(settled, (finished) => {
      context.core.updater.update(context, session, change).then((value) => {
        result = value;
        finished();
      }, finished);
    });
  });
}

/** Notes what the request's new session has from the one before, if that is anything that others may change. */
export function bequeath(
  context: SessionContext,
  session: Session,
  keep: true | readonly string[],
  keys: readonly string[],
): void {
  context.noteIds({ heritage: heritageOf(context, session, keep, keys) });
}

function heritageOf(
  context: SessionContext,
  session: Session,
  keep: true | readonly string[],
  keys: readonly string[],
): Heritage | undefined {
  const { heritage } = context.idChanges;
  if (heritage) return narrowed(heritage, keep, keys);
  const { seen } = context.viewOf(session);
  const nothing = keep !== true && keep.length === 0;
  if (nothing || seen === undefined || !context.wasStored(session.id)) return undefined;
  return { id: session.id, keep, keys, base: JSON.parse(seen) };
}

export function clear(context: SessionContext, session: Session): void {
  context.noteEnding({ cleared: true, clears: context.ending.clears + 1 });
  context.noteIds({ heritage: undefined });
  context.lastCookie = session.cookie;
  context.retire(session.id);
  context.core.renew(session);
  if (context.isSocket) destroyRetired(context, context.reporting); // there is no response to wait for
}
