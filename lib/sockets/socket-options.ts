import type { Core } from '../core.js';
import { describe, oneOf, readTimer } from '../option-checks.js';
import { checkOptions } from '../stores/store-options.js';
import { checkOrigins, type Origins } from './origin.js';

/** How sockets are tied to sessions. */
export interface SocketOptions {
  /**
   * Origins whose pages may connect besides those of the same host, such as `['https://app.example.com']`; or a
   * function that decides on all, which gets the origin (`undefined`: no browser) and the request. Others get a 403.
   * Needed behind a proxy that changes the Host header.
   */
  origins?: Origins | undefined;
  /**
   * How often all sessions with open sockets are looked up, for what other processes did to them, in milliseconds.
   * Default 30 seconds. It holds for all servers of these sessions; the last one to say it wins.
   */
  checkInterval?: number | undefined;
  /**
   * What becomes of sockets when `regenerate()` replaces their session. `'follow'` (default): they go on with the new
   * one. `'close'`: they are closed; for apps that log out by `regenerate()`, as passport does, or whose sockets
   * remember who their user was. In other processes they are closed in any case, since nothing that is stored leads
   * from the old id to the new one. It holds for all servers of these sessions, as `checkInterval` does.
   */
  onRegenerate?: 'follow' | 'close' | undefined;
}

export const SOCKET_OPTIONS: readonly string[] = ['origins', 'checkInterval', 'onRegenerate'];

/** @throws TypeError for options that could never work */
export function readSocketOptions(
  core: Core,
  what: string,
  options: SocketOptions,
  allowed: readonly string[] = SOCKET_OPTIONS,
): Origins {
  checkOptions(what, options, allowed);
  const { origins = [], checkInterval, onRegenerate } = options;
  const { sockets } = core;
  if (checkInterval !== undefined) sockets.interval = readTimer('checkInterval', checkInterval);
  if (onRegenerate !== undefined)
    sockets.onRegenerate = oneOf('onRegenerate', onRegenerate, ['follow', 'close']);
  return checkOrigins(origins);
}

/** @param method which was called with something else than it needs */
export function badServer(method: 'websocket' | 'socketio', needs: string, given: unknown): TypeError {
  const { engine, handleUpgrade } = (given ?? {}) as { engine?: unknown; handleUpgrade?: unknown };
  const other = method === 'websocket' ? engine && 'socketio' : handleUpgrade && 'websocket';
  const hint = other ? `; did you mean ${other}()?` : '';
  return new TypeError(`${method}() needs ${needs}; got ${describe(given)}${hint}`);
}
