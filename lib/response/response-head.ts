import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

// The head of a response: its status and header fields, as the app gives them.

export function isHttp2(res: ServerResponse): boolean {
  return 'stream' in res;
}

/** Responses that are not of Node.js, such as those of Sails' virtual requests, may have but `getHeader()` and `setHeader()`. */
export function hasHeader(res: ServerResponse, name: string): boolean {
  return res.getHeader(name) !== undefined;
}

/** As far as the response can tell. */
export function headersOf(res: ServerResponse): OutgoingHttpHeaders {
  return typeof res.getHeaders === 'function' ? res.getHeaders() : {};
}

/** The same, their names as they were written if the response can tell. */
export function rawHeadersOf(res: ServerResponse): [name: string, value: unknown][] {
  const { getRawHeaderNames } = res as { getRawHeaderNames?: () => string[] };
  const written = new Map(getRawHeaderNames?.call(res).map((name) => [name.toLowerCase(), name]));
  return Object.entries(headersOf(res)).map(([name, value]) => [written.get(name) ?? name, value]);
}

export interface Status {
  code: number;
  message: string | undefined;
}

/** HTTP/2 has no status message, and warns when asked for it. */
export function messageOf(res: ServerResponse): string | undefined {
  return isHttp2(res) ? undefined : res.statusMessage;
}

export function readStatus(res: ServerResponse): Status {
  return { code: res.statusCode, message: messageOf(res) };
}

export function writeStatus(res: ServerResponse, { code, message }: Status): void {
  if (res.statusCode !== code) res.statusCode = code;
  if (!isHttp2(res) && res.statusMessage !== message) res.statusMessage = message as string;
}

/** The app may go on using its objects. */
export function copyHeaders(headers: unknown): unknown {
  if (typeof headers !== 'object' || headers === null) return headers;
  if (Array.isArray(headers)) return headers.map(copyList);
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, copyList(value)]));
}

function copyList(value: unknown): unknown {
  return Array.isArray(value) ? [...value] : value;
}

/**
 * Headers that describe the body which the app meant to send, or say what is to be done with it; an error page in its place
 * must not inherit them. By some of them a proxy would send a file, or a cache keep the page.
 */
const REPRESENTATION: readonly string[] = [
  ...[
    'content-type',
    'content-length',
    'content-encoding',
    'content-language',
    'content-location',
    'content-range',
  ],
  ...['content-disposition', 'transfer-encoding', 'trailer', 'etag', 'last-modified', 'location'],
  ...['content-digest', 'repr-digest', 'digest', 'content-md5', 'refresh', 'clear-site-data'],
  ...['cache-control', 'expires', 'age', 'cdn-cache-control', 'surrogate-control'],
  ...['x-accel-redirect', 'x-accel-expires', 'x-sendfile'],
];

/** Only those that are there: Node takes the removal of a Content-Length for the wish to send none. */
export function forgetRepresentation(res: ServerResponse): void {
  for (const name of REPRESENTATION) {
    if (hasHeader(res, name)) res.removeHeader(name);
  }
  writeStatus(res, { code: 500, message: undefined });
}
