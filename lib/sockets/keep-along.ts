import type { SessionContext } from '../request/context.js';
import { becomeSocket, keepAlive } from './socket-life.js';
import { type OpenSocket, POLICY_VIOLATION } from './sockets.js';

/** What is used of a `ws` connection. */
export interface WebSocketLike {
  on(event: 'message' | 'close', listener: (data?: unknown) => void): unknown;
  removeAllListeners(event: 'message'): unknown;
  close(code: number, reason: string): void;
}

/**
 * The socket lives as long as its session, keeps it alive by its messages, and leaves its changes when it closes.
 * @param isMessage whether something that came is the user's doing
 */
export function keepAlong(
  context: SessionContext,
  client: WebSocketLike,
  isMessage: (data: unknown) => boolean = () => true,
): void {
  const { core, req } = context;
  if (!req.session) return;
  const socket: OpenSocket = {
    context,
    life: becomeSocket(context),
    end(reason) {
      client.removeAllListeners('message'); // the client may take its time to close; nobody listens to it any more
      client.close(POLICY_VIOLATION, reason);
    },
  };
  core.sockets.add(socket);
  client.on('message', (data) => {
    if (isMessage(data)) keepAlive(context, socket.life);
  });
  client.on('close', () => {
    core.sockets.remove(socket);
    context.closed();
  });
  if (context.isDestroyed(req.session)) socket.end('session ended');
}
