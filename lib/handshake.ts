import { ServerResponse } from 'node:http';
import type { EndListener } from './response.js';
import { withSetCookie } from './set-cookie.js';

/**
 * Whether this stands for a WebSocket handshake rather than a response: Engine.IO (Socket.IO) runs HTTP middleware with
 * such an object, which has a `writeHead()` but never ends.
 */
export function isHandshake(req: { headers: Record<string, unknown> }, res: unknown): boolean {
  return String(req.headers['upgrade']).toLowerCase() === 'websocket' && !(res instanceof ServerResponse);
}

/** The cookie goes into the handshake, the changes made up to then to the store, and later ones when the socket closes. */
export function joinHandshake(res: ServerResponse, listener: EndListener): void {
  const { writeHead } = res;
  res.writeHead = ((...args: unknown[]) => {
    const cookies = listener.setCookies();
    const all = cookies.length > 0 ? withSetCookie(res, args, cookies) : args;
    listener.beforeEnd()?.catch((error) => listener.takenBack(error));
    return (writeHead as (...args: unknown[]) => unknown).apply(res, all);
  }) as typeof res.writeHead;
  res.once('close', () => listener.closed());
}
