import type { IncomingMessage } from 'node:http';
import { answerOf } from '../adapters/answer.js';
import type { Core } from '../core.js';
import type { AppRequest } from '../express-types.js';
import { contextOf } from '../request/request-slot.js';
import { isSameHost } from '../sockets/origin.js';

/** How many new ids of one session are followed. */
const MOST_HOPS = 100;

/**
 * The request as it would be now: its `session` is what is stored at this moment, so that a guard that looks at it sees a
 * logout, or that a right was taken away.
 * @returns `undefined` if the session is over
 */
export async function asOfNow(req: AppRequest): Promise<AppRequest | undefined> {
  const context = contextOf(req);
  if (!context?.wasStored(req.sessionID)) return req;
  const id = await presentId(context.core, req.sessionID);
  const session = id === undefined ? undefined : await answerOf(context.core.store, 'get', id);
  return session ? Object.create(req, { session: { value: session } }) : undefined;
}

async function presentId(core: Core, id: string, hops = 0): Promise<string | undefined> {
  const fate = await core.updater.fateOf(id);
  if (fate === 'alive') return id;
  return fate === 'gone' || hops > MOST_HOPS ? undefined : presentId(core, fate.movedTo, hops + 1);
}

/**
 * Whether a page of the same origin asks, as browsers tell (Fetch Metadata, W3C; before it, RFC 6454's Origin). A proxy
 * may have changed the Host that the Origin is compared with, so Fetch Metadata goes first.
 */
export function isSameOrigin(req: IncomingMessage): boolean {
  const site = req.headers['sec-fetch-site'];
  return site === undefined ? isSameHost(req) : site === 'same-origin';
}
