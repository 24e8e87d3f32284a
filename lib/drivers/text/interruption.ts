import { SteadyError } from '../../errors.js';
import type { SessionContext } from '../../request/context.js';
import type { Session } from '../../session.js';
import { keysOfMine } from './merged-text.js';

/** Drops the write. @throws ERR_SESSION_INTERRUPTED with `onInterrupted: 'error'`, if changes were lost */
export function giveUp(context: SessionContext, session: Session, mine: string): void {
  const error = drop(context, session, mine);
  if (error && context.core.settings.onInterrupted === 'error') throw error;
}

/**
 * The session has gone meanwhile, and stays so: nothing is written. Each change is told of once.
 * @returns the error that tells of it, if changes were lost
 */
export function drop(context: SessionContext, session: Session, mine: string): SteadyError | undefined {
  context.interrupt(session);
  const view = context.viewOf(session);
  const keys = keysOfMine(view, mine).filter((key) => key !== 'cookie');
  view.seen = mine;
  return interrupted(context, session.id, keys);
}

/** Tells of the changes that were dropped. @returns the error that tells of them, if there are any */
export function interrupted(
  { core, req }: SessionContext,
  id: string,
  keys: readonly string[],
): SteadyError | undefined {
  if (keys.length === 0) return undefined;
  const error = new SteadyError(
    'ERR_SESSION_INTERRUPTED',
    'changes to a session were dropped, since it had been destroyed or had expired meanwhile',
  );
  core.events.emit('interrupted', id, { req, keys: [...keys], error });
  return error;
}
