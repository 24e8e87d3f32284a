import type { Duplex } from 'node:stream';

/**
 * Between a handshake and its WebSocket nobody listens to the connection: a client that leaves just then would end the
 * process. That it has left is seen soon enough.
 */
export function ignoreErrors(socket: Duplex | undefined): void {
  if (socket && !socket.listeners('error').includes(ignore)) socket.on('error', ignore);
}

function ignore(): void {}
