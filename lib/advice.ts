import type { CookieOptions } from './cookies/cookie.js';
import type { Secret } from './cookies/signature.js';
import type { Core } from './core.js';
import { messageOf } from './errors.js';
import { describe } from './option-checks.js';
import type { SessionOptions } from './options.js';
import type { Settings } from './read-options.js';
import type { IncomingRequest } from './request/context.js';
import { MemoryStore } from './stores/memory.js';
import { warnOnce } from './warnings.js';

// What the developer is told, once, because it is probably a mistake. Each code has its entry in docs/codes.md.

/** RFC 6265bis section 5.6: browsers drop cookies whose name and value have more octets together. */
const MOST_COOKIE_BYTES = 4096;

/** Shorter secrets are worth guessing: HMAC-SHA256 asks for 32 bytes. */
const FEWEST_SECRET_BYTES = 32;

const PLACEHOLDER =
  /^(.*(keyboard cat|change.?me|your.?secret|my.?secret|example|placeholder).*|(.)\3*|secret|session.?secret|password)$/i;

/** At start: what works, but not as well as its author may think. */
export function adviseAtStart(settings: Settings, given: SessionOptions): void {
  if (process.env['NODE_ENV'] === 'production') adviseInProduction(settings);
  if (given.cookie && typeof given.cookie === 'object') adviseOnCookie(given.cookie);
  adviseOnTexts(given);
  adviseOnSeconds(given);
  adviseOnRotation(given);
  if ('secret' in given && !given.secret) {
    warnOnce(
      'WARN_SESSION_NO_SECRET',
      'the option secret is given, but empty, so that every request will fail. Is the environment variable set that it comes from?',
    );
  } else if (settings.secrets?.some(isEmpty)) {
    warnOnce(
      'WARN_SESSION_NO_SECRET',
      'a secret is empty, so that anybody can sign cookies. Is the environment variable set that it comes from?',
    );
  }
}

/** Options that are true or false, and, as in express-session, whatever else JavaScript takes for that. */
const SWITCHES = ['resave', 'rolling', 'saveUninitialized'] as const;
const COOKIE_SWITCHES = ['secure', 'httpOnly', 'partitioned'] as const;

/** Of a configuration file or the environment, where 'false' is as true as any other text. */
function adviseOnTexts(given: SessionOptions): void {
  for (const name of SWITCHES) adviseOnText(name, given[name], 'counts as true');
  if (typeof given.proxy === 'number') adviseOnValue('proxy', describe(given.proxy), 'counts as left out');
  adviseOnText('proxy', given.proxy, 'counts as left out');
  const { cookie } = given;
  if (!cookie || typeof cookie !== 'object') return;
  for (const name of COOKIE_SWITCHES) {
    if (cookie[name] !== 'auto') adviseOnText(`cookie.${name}`, cookie[name], 'counts as true');
  }
}

function adviseOnText(name: string, value: unknown, effect: string): void {
  if (typeof value === 'string' && value !== '') adviseOnValue(name, `the text ${describe(value)}`, effect);
}

function adviseOnValue(name: string, value: string, effect: string): void {
  warnOnce(
    'WARN_SESSION_TEXT_OPTION',
    `the option ${name} is ${value}, which ${effect}. Give it true or false.`,
  );
}

const TIMES = ['ttl', 'absoluteTimeout', 'rotateAfter', 'touchAfter'] as const;

/** A time of a day or a week that looks as if it was written in seconds, and would be over in seconds or minutes. */
function adviseOnSeconds(given: SessionOptions): void {
  for (const name of TIMES) adviseOnTime(name, given[name]);
  if (given.cookie && typeof given.cookie === 'object') adviseOnTime('cookie.maxAge', given.cookie.maxAge);
}

function adviseOnTime(name: string, time: unknown): void {
  if (typeof time !== 'number' || !looksLikeSeconds(time)) return;
  warnOnce(
    'WARN_SESSION_SECONDS',
    `the option ${name} is ${time}, in milliseconds: ${time / 1000} seconds. If ${time} seconds were meant, give ${time} * 1000.`,
  );
}

/** Such as 3600, 86_400 or 604_800: whole quarters of an hour in seconds, but no whole seconds in milliseconds. */
function looksLikeSeconds(time: number): boolean {
  return time > 0 && time < 1_000_000 && time % 900 === 0 && time % 1000 !== 0;
}

function adviseOnRotation({ rotateAfter, rotateGrace, onReuse }: SessionOptions): void {
  if (rotateAfter) return;
  const idle = [
    ...(rotateGrace === undefined ? [] : ['rotateGrace']),
    ...(onReuse === undefined ? [] : ['onReuse']),
  ];
  if (idle.length === 0) return;
  warnOnce(
    'WARN_SESSION_NO_ROTATION',
    `without the option rotateAfter no id is replaced, so that ${idle.join(' and ')} does nothing. Set rotateAfter.`,
  );
}

export function adviseOnTouchAfter(pause: number, name: string, limit: number): void {
  warnOnce(
    'WARN_SESSION_TOUCH_AFTER',
    `the option touchAfter is ${pause} ms, and not less than ${name}, ${limit} ms: users are logged out while they are active. ` +
      'Set a shorter touchAfter.',
  );
}

function adviseInProduction({ store, secrets }: Settings): void {
  if (store instanceof MemoryStore) {
    warnOnce(
      'WARN_SESSION_MEMORY_STORE',
      'MemoryStore is for development: it loses all sessions at a restart and serves one process only. ' +
        'Give session() a store that lasts, such as RedisStore, PostgresStore or SqliteStore.',
    );
  }
  if (secrets?.some(isWeak)) {
    warnOnce(
      'WARN_SESSION_WEAK_SECRET',
      `a secret is short or a placeholder, so that cookies can be forged. Use ${FEWEST_SECRET_BYTES} random bytes, from the environment.`,
    );
  }
}

function isWeak(secret: Secret): boolean {
  if (typeof secret === 'string' && PLACEHOLDER.test(secret)) return true;
  const bytes = bytesOf(secret);
  return bytes !== undefined && bytes < FEWEST_SECRET_BYTES;
}

/** Spaces are what a variable has that was not filled in. */
function isEmpty(secret: Secret): boolean {
  return bytesOf(typeof secret === 'string' ? secret.trim() : secret) === 0;
}

/** `undefined` for half of a pair of keys. */
function bytesOf(secret: Secret): number | undefined {
  if (typeof secret === 'string') return Buffer.byteLength(secret);
  return 'symmetricKeySize' in secret ? secret.symmetricKeySize : (secret as ArrayBuffer).byteLength;
}

function adviseOnCookie(cookie: CookieOptions): void {
  if (cookie.maxAge != null && cookie.expires != null) {
    warnOnce(
      'WARN_SESSION_TWO_LIFETIMES',
      'cookie has both maxAge and expires; the one written last counts. Give just maxAge.',
    );
  }
  if (typeof cookie.maxAge === 'number' && cookie.maxAge <= 0) {
    warnOnce(
      'WARN_SESSION_NO_LIFETIME',
      `cookie.maxAge is ${cookie.maxAge} ms: the cookie is over when it is sent, and every request gets a new session. ` +
        'Give it a lifetime, or leave maxAge out for a cookie that lives until the browser is closed.',
    );
  }
  const needsSecure = [
    ...(String(cookie.sameSite).toLowerCase() === 'none' ? ["sameSite 'none'"] : []),
    ...(cookie.partitioned ? ['partitioned'] : []),
  ];
  if (needsSecure.length > 0 && !cookie.secure) {
    const text = `cookie is ${needsSecure.join(' and ')} but not secure, and browsers drop such cookies. Add secure: true.`;
    warnOnce('WARN_SESSION_NEEDS_SECURE', text);
  }
}

/** The owner of a session is of use only to a store that can find sessions by it. */
export function adviseOnUnlistable(): void {
  warnOnce(
    'WARN_SESSION_NOT_LISTABLE',
    "the option owner is given, but the store can neither list sessions nor find a user's, so that sessions.of() and " +
      'sessions.revoke() will fail. Give the store `ids()` or `owned()`; behind hashIds() it needs `owned()`, and encrypt() goes inside: hashIds(encrypt(store, keys)).',
  );
}

/** A store that can tell of destroyed sessions can't be listened to. */
export function adviseOnNotices(error: unknown): void {
  const text = messageOf(error);
  warnOnce(
    'WARN_SESSION_STORE_NOTICES',
    `${text}. This process can't listen for destroyed sessions, which will be tried again. Until then, what other ` +
      'processes destroy is noticed within checkInterval.',
  );
}

/** An owner that is an object would never be equal to the one that is looked for. `false` is what `a && b` gives for none. */
export function adviseOnOwner(owner: unknown): void {
  if (owner === undefined || owner === null || owner === false) return;
  warnOnce(
    'WARN_SESSION_OWNER',
    `owner gave ${describe(owner)}, and not a text or a number: sessions.of() and sessions.revoke() don't find such sessions.`,
  );
}

/** As in express-session, such a session is not stored, and its cookie not sent; under an empty id it is, and not found again. */
export function adviseOnGenid(id: unknown): void {
  warnOnce(
    'WARN_SESSION_GENID',
    id === ''
      ? 'genid returned an empty text, which no request finds its session by: each begins a new one. Return a text that differs each time.'
      : `genid returned ${describe(id)}, and not a text, so that the session is not stored. Return a text, and not the promise of one.`,
  );
}

/** A second session middleware finds a session on the request. */
export function adviseMountedTwice(first: Core | undefined, second: Core): void {
  if (first?.settings.name !== second.settings.name) return;
  warnOnce(
    'WARN_SESSION_MOUNTED_TWICE',
    `two session middlewares with the cookie name ${second.settings.name} serve one request; only the first does anything. Mount it once, or give each its own name and path.`,
  );
}

/** cookie-parser has another secret than we. */
export function adviseOnParserSecret(req: IncomingRequest, secrets: readonly Secret[]): void {
  if (typeof req.secret !== 'string' || !secrets.every((secret) => typeof secret === 'string')) return;
  if (secrets.includes(req.secret)) return;
  warnOnce(
    'WARN_SESSION_PARSER_SECRET',
    'cookie-parser was given another secret than session(), so neither can read what the other signed. Give both the same, or cookie-parser none.',
  );
}

export const FOREIGN_PAGE: string =
  "a WebSocket of a page from another host gets no session, since that page could act in the user's name. If it may, give its " +
  "origin to sessions.socketio(io, { origins: ['https://app.example.com'] }) or sessions.websocket(wss, { origins }), in place of " +
  'running the middleware alone';

export function adviseOnForeignPage(): void {
  warnOnce(
    'WARN_SESSION_ORIGIN',
    `${FOREIGN_PAGE}. Its handshake was refused with 403, or failed if it had been accepted already.`,
  );
}

/** @param origin as the client has sent it */
export function adviseOnForeignOrigin(origin: string): void {
  warnOnce(
    'WARN_SESSION_ORIGIN',
    `a WebSocket of a page at ${describe(origin)} was refused with 403: another host than it asks, or another port, is another site. ` +
      'If that page may connect, give its origin: { origins: [...] }.',
    'origins',
  );
}

/** A cookie without `Secure`, where the app wants it to have that over HTTPS. */
export function adviseOnInsecureCookie(core: Core, req: IncomingRequest): void {
  const { settings } = core;
  const { name, proxy } = settings;
  if (PROMISES_SECURE.test(name)) {
    warnOnce(
      'WARN_SESSION_INSECURE_REQUEST',
      `the cookie ${name} was sent without Secure, since the request looks like plain HTTP, and browsers drop it because of its name. ${TRUST}; for development over HTTP, another name.`,
    );
  } else if (proxy === undefined && settings.isSecureAuto && isHttpsOutside(req)) {
    warnOnce(
      'WARN_SESSION_INSECURE_REQUEST',
      core.isSecure(req)
        ? "the session cookie was sent without Secure over HTTPS: its session began over plain HTTP, or before the proxy was trusted, and keeps what 'auto' came to then. Call req.session.regenerate() at login."
        : `the session cookie was sent without Secure, though the request says X-Forwarded-Proto: https: no proxy is trusted. ${TRUST}; if there is no proxy, proxy: false.`,
    );
  }
}

/** RFC 6265bis section 4.1.3. */
const PROMISES_SECURE = /^__(host|secure)-/i;

function isHttpsOutside({ headers }: IncomingRequest): boolean {
  return /^https\b/i.test(String(headers['x-forwarded-proto'] ?? ''));
}

const TRUST = 'Behind a proxy that ends TLS, set Express\'s "trust proxy" or the option proxy: true';

export function adviseOnWithheldCookie(): void {
  warnOnce(
    'WARN_SESSION_INSECURE_REQUEST',
    `the session cookie was not sent, since it is secure and the request looks like plain HTTP. ${TRUST}; for development over HTTP, secure: 'auto'.`,
  );
}

export function adviseOnCookieSize(name: string, line: string): void {
  if (line.length <= MOST_COOKIE_BYTES) return;
  const semicolon = line.indexOf(';');
  const bytes = (semicolon === -1 ? line.length : semicolon) - 1; // without the `=`
  if (bytes <= MOST_COOKIE_BYTES) return;
  warnOnce(
    'WARN_SESSION_COOKIE_SIZE',
    `the cookie ${name} has ${bytes} bytes, and browsers drop those over ${MOST_COOKIE_BYTES}. Shorten what genid returns.`,
  );
}

export function adviseOnUnreachable(dropped: boolean): void {
  const fate = dropped ? 'was not stored' : 'was stored, but nobody can reach it';
  warnOnce(
    'WARN_SESSION_UNREACHABLE',
    `a new session was changed after the headers had left, too late for its cookie: it ${fate}. Change the session before the first write.`,
  );
}

export function adviseOnRecordSize(characters: number, most: number): void {
  if (characters <= most) return;
  warnOnce(
    'WARN_SESSION_RECORD_SIZE',
    `a session has ${characters} characters, more than ${most}; all of it is read on every request. Keep large things elsewhere, and their ids in the session.`,
  );
}

export function adviseOnLateChange(): void {
  warnOnce(
    'WARN_SESSION_LATE_CHANGE',
    'a session was changed after its response was over; the change is lost. Change it before the response ends, or call req.session.save().',
  );
}
