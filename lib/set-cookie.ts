import type { ServerResponse } from 'node:http';

/** The arguments of a writeHead() with Set-Cookie lines added after those that the app has set. */
export function withSetCookie(res: ServerResponse, args: unknown[], lines: string[]): unknown[] {
  const at = typeof args[1] === 'string' ? 2 : 1;
  const headers = args[at];
  if (!headers) {
    res.setHeader('Set-Cookie', [...toList(res.getHeader('Set-Cookie')), ...lines]);
    return args;
  }
  const merged = Array.isArray(headers)
    ? [...headers, ...addedPairs(res, headers, lines)]
    : { ...headers, ...addedEntry(res, headers as Record<string, unknown>, lines) };
  return [...args.slice(0, at), merged];
}

function addedPairs(res: ServerResponse, headers: unknown[], lines: string[]): unknown[] {
  const nested = Array.isArray(headers[0]);
  const names = nested
    ? headers.map((pair) => (pair as unknown[])[0])
    : headers.filter((_, index) => index % 2 === 0);
  const replaces = names.some((name) => isSetCookie(String(name)));
  const values = replaces ? lines : [...toList(res.getHeader('Set-Cookie')), ...lines];
  return nested
    ? values.map((value) => ['Set-Cookie', value])
    : values.flatMap((value) => ['Set-Cookie', value]);
}

function addedEntry(
  res: ServerResponse,
  headers: Record<string, unknown>,
  lines: string[],
): Record<string, unknown> {
  const name = Object.keys(headers).find(isSetCookie);
  if (name === undefined) return { 'Set-Cookie': [...toList(res.getHeader('Set-Cookie')), ...lines] };
  return { [name]: [...toList(headers[name]), ...lines] };
}

function isSetCookie(name: string): boolean {
  return name.toLowerCase() === 'set-cookie';
}

function toList(value: unknown): string[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value as string];
}
