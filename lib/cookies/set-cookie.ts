import type { ServerResponse } from 'node:http';
import { hasHeader, headersOf } from '../response/response-head.js';

/**
 * Headers in a form that writeHead() takes beside headers set already. Node.js then takes no pairs, and Node.js 20 keeps
 * only the last of several Set-Cookie; on-headers, which express-session uses, makes up for both.
 */
export function mergeable(res: ServerResponse, headers: unknown): unknown {
  if (!Array.isArray(headers) || Object.keys(headersOf(res)).length === 0) return headers;
  if (!Array.isArray(headers[0]) && headers.length % 2 !== 0) return headers; // to be refused as it is
  const entries = toEntries(headers);
  const [first, ...others] = entries.filter(isSetCookie);
  if (!first || others.length === 0) return entries.flat(1);
  const lines = [first, ...others].flatMap(([, value]) => toList(value));
  return entries
    .filter((entry) => !others.includes(entry))
    .flatMap((entry) => (entry === first ? [entry[0], lines] : entry));
}

/** Adds Set-Cookie lines to those that the app has set. */
export function setCookie(res: ServerResponse, lines: readonly string[]): void {
  const before = res.getHeader('Set-Cookie');
  res.setHeader('Set-Cookie', before === undefined ? lines : [...toList(before), ...lines]);
}

/**
 * The arguments of a writeHead() with Set-Cookie lines added after those that the app has set. They join the last
 * entry of that name, since writeHead() may keep just the last one.
 */
export function withSetCookie(res: ServerResponse, args: unknown[], lines: readonly string[]): unknown[] {
  const at = placeOfHeaders(args);
  const headers = args[at];
  const entries = headers ? toEntries(headers) : NO_ENTRIES;
  const last = entries.findLast(isSetCookie);
  if (!headers || (!last && hasHeader(res, 'Set-Cookie'))) {
    setCookie(res, lines);
    return args;
  }
  if (typeof res.hasHeader !== 'function') {
    // none of Node.js: it may take headers by `writeHead()` just as they are written, and not find ours
    for (const [name, value] of entries) res.setHeader(name, value as string);
    setCookie(res, lines);
    return args.slice(0, at);
  }
  const merged = last
    ? entries.with(entries.lastIndexOf(last), [last[0], [...toList(last[1]), ...lines]])
    : [...entries, ['Set-Cookie', lines] as Entry];
  return [...args.slice(0, at), fromEntries(merged, headers)];
}

/**
 * Adds `Cache-Control: private`, unless the app has said something of caching: a shared cache must not hand one client's
 * cookie to another (OWASP Session Management Cheat Sheet, web content caching).
 */
export function setPrivateCache(res: ServerResponse): void {
  if (!CACHING.some(isSet, res)) res.setHeader('Cache-Control', 'private');
}

/** The arguments of a writeHead() with the same added. */
export function withPrivateCache(res: ServerResponse, args: unknown[]): unknown[] {
  const at = placeOfHeaders(args);
  const headers = args[at];
  if (!headers) {
    setPrivateCache(res);
    return args;
  }
  if (CACHING.some(isSet, res)) return args;
  const entries = toEntries(headers);
  if (entries.some((entry) => CACHING.some((name) => isNamed(entry, name)))) return args;
  return [...args.slice(0, at), fromEntries([...entries, ['Cache-Control', 'private']], headers)];
}

/** Headers by which an app says something of caching. */
const CACHING = ['cache-control', 'expires', 'pragma'];

function isSet(this: ServerResponse, name: string): boolean {
  return hasHeader(this, name);
}

type Entry = [name: string, value: unknown];

const NO_ENTRIES: readonly Entry[] = [];

/** Of `writeHead(status, headers)` and `writeHead(status, reason, headers)`, the reason being optional. */
function placeOfHeaders(args: unknown[]): 1 | 2 {
  return typeof args[1] === 'string' || args[2] != null ? 2 : 1;
}

/** writeHead() takes headers as an object, as a flat list of names and values, or as a list of pairs. */
function toEntries(headers: unknown): Entry[] {
  if (!Array.isArray(headers)) return Object.entries(headers as object);
  if (Array.isArray(headers[0])) return headers as Entry[];
  const entries: Entry[] = [];
  for (let at = 0; at < headers.length; at += 2) entries.push([headers[at], headers[at + 1]]);
  return entries;
}

/** In the form of the `original`. */
function fromEntries(entries: Entry[], original: unknown): unknown {
  if (!Array.isArray(original)) return Object.fromEntries(entries);
  return Array.isArray(original[0]) ? entries : entries.flat(1);
}

function isSetCookie(entry: Entry): boolean {
  return isNamed(entry, 'set-cookie');
}

function isNamed([name]: Entry, lowerCased: string): boolean {
  return String(name).toLowerCase() === lowerCased;
}

function toList(value: unknown): string[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value as string];
}
