/**
 * The one place that says where ours may differ from express-session 1.19 in these tests. Whatever is not listed here
 * is compared exactly.
 *
 * Not here, because the scenarios avoid them and tests of their own check what ours does instead:
 * - changes to the session after the response has ended (L1-L3) and unfinished responses (L6): the real one loses them;
 * - `end` with a callback, which the real one never calls, or throws at (L9);
 * - what a second `end` and a late header do (L8);
 * - a session changed between `writeHead` and `end`, or by the touch at the end (it turns an `originalMaxAge` that the
 *   app has set into an expiry): ours decides on the cookie when the headers really leave;
 * - `writeHead` with an array that names a header which is set already: the real one's on-headers moves that header to
 *   the end, plain node:http and ours leave it in its place;
 * - `cookie` as a function with `'auto'` in it: the real one resolves `'auto'` in an object only;
 * - `connect.sid=j:{...}` behind cookie-parser: a 500 from the real one;
 * - several cookies of our name: the real one looks at the first only, ours at those that verify, until one is live;
 * - a cookie name that no cookie can have: an error for each request from the real one, for the app's start from ours;
 *   likewise names with a prefix that promises what the cookie's attributes don't keep (`__Host-` without `secure`);
 * - a cookie name that is a property of every object (`constructor`): a 500 from the real one where it is absent;
 * - a cookie that cannot be serialized, when the store or the app fails too: the real one makes its headers before the
 *   save and ours after it, so the two errors come in the other order (and Express, which takes one error per request
 *   and cuts the connection at the second, cuts the real one's response while that still waits for its save);
 * - a session that expires in the memory store during the request that uses it: the real one stores it again, ours
 *   takes it for one that another request has destroyed, and lets it be;
 * - `unset: 'destroy'` and a load that fails: the real one destroys the session that it could not read;
 * - what makes `end()` of the real one throw (a text as `cookie.expires`): it never answers.
 */
import type { Response } from './client.js';
import type { LogEntry } from './handler.js';
import type { Exchange, Transcript } from './transcribe.js';

/** What must be equal between the two. */
export function comparable({ exchanges, stored }: Transcript): unknown {
  return { exchanges: exchanges.map(comparableExchange), stored };
}

function comparableExchange({ response, log, errors, ...rest }: Exchange): unknown {
  return {
    response: comparableResponse(response),
    log: log.map(comparableEntry),
    errors: errors.map(comparableError),
    ...rest,
  };
}

/**
 * The wording of an error about a stored record without a `cookie`: the real one lets the engine trip over the missing
 * member. That it is a TypeError, reaches the app once, and when, is compared.
 */
function comparableError({ message, ...rest }: Exchange['errors'][number]): unknown {
  return { message: message.replace(/^(TypeError: )Cannot .*/, '$1(in the words of the engine)'), ...rest };
}

/**
 * What `save(callback)` and `reload(callback)` return: the session "for chaining", as express-session's documentation of
 * both says, but undefined from the wrappers that it puts around them.
 */
function comparableEntry({ returned, ...entry }: LogEntry): unknown {
  return entry.action === 'save' || entry.action === 'reload' ? entry : { ...entry, returned };
}

/**
 * Framing. A response that waits for a save or a touch leaves express-session in two writes, chunked, without the
 * Content-Length that node:http computes. Ours must be framed as if there were no sessions: `withoutSessions` checks.
 */
export function comparableResponse({ status, headers, body, complete }: Response): unknown {
  const others = headers.filter(([name]) => !framing.has(name.toLowerCase()));
  return { status, headers: others, body, complete };
}

const framing = new Set(['content-length', 'transfer-encoding']);

/** The bytes of a transcript's responses without the session cookie: what plain node:http must send just so. */
export function withoutSessions({ exchanges }: Transcript, name: string): string[] {
  const setCookie = new RegExp(`^Set-Cookie: ${escapeForRegExp(name)}=.*\r\n`, 'm');
  return exchanges.map(({ response }) => response.raw.replace(setCookie, '').replace(/^Date: .*$/m, 'Date:'));
}

function escapeForRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
