import type { IncomingMessage } from 'node:http';

/** Which pages may open a WebSocket, besides those of the same host: their origins, or a function that decides on all. */
export type Origins = readonly string[] | ((origin: string | undefined, req: any) => boolean);

/**
 * Whether the page that opens the socket may. A browser sends the cookie along whatever page asks, so that a foreign one
 * could speak in the user's name (cross-site WebSocket hijacking; RFC 6455 section 10.2). Programs that are no browsers
 * send no Origin, and have no cookie that was not given to them.
 */
export function isAllowedOrigin(req: IncomingMessage, origins: Origins = []): boolean {
  const { origin, host } = req.headers;
  if (typeof origins === 'function') return origins(origin, req);
  if (origin === undefined) return true;
  return hostOf(origin) === host?.toLowerCase() || origins.includes(origin);
}

function hostOf(origin: string): string | undefined {
  try {
    return new URL(origin).host;
  } catch {
    return undefined;
  }
}
