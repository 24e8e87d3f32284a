import { connect } from 'node:net';

/** A response as it came off the wire. */
export interface Response {
  /** Such as `HTTP/1.1 200 OK`; empty when nothing came. */
  status: string;
  /** In order, names as they were sent. The value of `Date` is left out: it is the wall clock's. */
  headers: [name: string, value: string][];
  /** Decoded from chunks, as Latin-1 so that every byte shows. */
  body: string;
  /** Whether the body came to its end as the headers promised. */
  complete: boolean;
  /** Everything before the body, and the body as it was framed, as Latin-1. */
  raw: string;
}

const TIMEOUT_MS = 2_000;

/** Sends one request on a connection of its own and reads what comes until the server closes. */
export async function send(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string>,
): Promise<Response> {
  const lines = Object.entries({ Host: 'localhost', ...headers, Connection: 'close' });
  const head = [`${method} ${path} HTTP/1.1`, ...lines.map(([name, value]) => `${name}: ${value}`), '', ''];
  return parse(await exchange(port, head.join('\r\n')), method);
}

/** Sends this, as Latin-1, on a connection of its own; resolves to all that came until the server closed it. */
export function exchange(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const received: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => socket.write(text, 'latin1'));
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('no end of the response')));
    socket.on('data', (bytes) => received.push(bytes));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(received).toString('latin1')));
  });
}

function parse(raw: string, method: string): Response {
  const boundary = raw.indexOf('\r\n\r\n');
  const [status = '', ...lines] = (boundary < 0 ? raw : raw.slice(0, boundary)).split('\r\n');
  const headers = lines.map(splitHeader);
  const framed = boundary < 0 ? '' : raw.slice(boundary + 4);
  const bodiless = method === 'HEAD' || / (204|304) /.test(status);
  return { status, headers, raw, ...unframe(framed, bodiless ? [] : headers) };
}

function splitHeader(line: string): [string, string] {
  const colon = line.indexOf(':');
  const name = line.slice(0, colon);
  return [name, name === 'Date' ? '' : line.slice(colon + 1).trim()];
}

function unframe(framed: string, headers: [string, string][]): { body: string; complete: boolean } {
  const value = (wanted: string) => headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
  if (value('transfer-encoding') === 'chunked') return unchunk(framed);
  const length = value('content-length');
  return { body: framed, complete: length === undefined || Number(length) === framed.length };
}

function unchunk(framed: string): { body: string; complete: boolean } {
  let body = '';
  let at = 0;
  while (at < framed.length) {
    const lineEnd = framed.indexOf('\r\n', at);
    const size = Number.parseInt(framed.slice(at, lineEnd), 16);
    if (size === 0) return { body, complete: framed.slice(lineEnd) === '\r\n\r\n' };
    body += framed.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 2 + size + 2;
  }
  return { body, complete: false };
}
