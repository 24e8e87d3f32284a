import type { ServerResponse } from 'node:http';
import { types } from 'node:util';

// What node:http takes as the arguments of `end()` and `write()`. For anything else it throws at once.

/** The first argument of `end()`. */
export function isChunk(chunk: unknown): boolean {
  return !chunk || typeof chunk === 'function' || isData(chunk);
}

export function isData(chunk: unknown): boolean {
  return typeof chunk === 'string' || types.isUint8Array(chunk);
}

/** Whatever else the response says, these have no body (RFC 9110, sections 15.3.5 and 15.4.5). */
const BODILESS: ReadonlySet<unknown> = new Set([204, 304]);

/** @throws ERR_UNKNOWN_ENCODING where node:http throws it: of what is not sent, the encoding doesn't matter */
export function refuseEncoding(res: ServerResponse, chunk: unknown, encoding: unknown): void {
  if (!encoding || typeof encoding !== 'string' || encoding === 'buffer' || Buffer.isEncoding(encoding))
    return;
  const hasBody = (res as { _hasBody?: boolean })._hasBody !== false && !BODILESS.has(res.statusCode);
  if (hasBody && isData(chunk) && (chunk as string).length > 0) Buffer.from('', encoding as BufferEncoding);
}
