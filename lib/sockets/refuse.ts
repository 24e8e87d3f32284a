import type { Duplex } from 'node:stream';
import { ignoreErrors } from './client-errors.js';

const REASONS = { 403: 'Forbidden', 500: 'Internal Server Error', 503: 'Service Unavailable' };

/** Whether a handshake has been answered already, so that whoever did so reads from the connection. */
export function isTaken(socket: Duplex): boolean {
  return socket.listenerCount('data') > 0;
}

/** Answers a handshake in place of whoever would have accepted it. The client learns the status and nothing else. */
export function refuse(socket: Duplex, status: keyof typeof REASONS): void {
  ignoreErrors(socket);
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${REASONS[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
