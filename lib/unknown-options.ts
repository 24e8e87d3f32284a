import { didYouMean } from './option-checks.js';
import { COOKIE_OPTIONS, OPTIONS } from './options.js';
import { warnOnce } from './warnings.js';

/** How the same is said here: names that other packages have, or that are looked for in the wrong place. */
const HINTS: Readonly<Record<string, string>> = {
  ...meaning('secret', 'keys'),
  ...meaning('name', 'cookieName', 'sessionName'),
  ...meaning('genid', 'generateId', 'idGenerator'),
  ...meaning('ttl', 'timeout', 'idleTimeout'),
  ...meaning('touchAfter', 'disableTouch'),
  ...meaning('proxy', 'trustProxy'),
  ...meaning('owner', 'userId', 'userKey'),
  ...ofTheStore('client', 'pool', 'prefix', 'table', 'tableName', 'notify', 'database'),
  signed: 'cookies are always signed: leave it out',
  checkPeriod: 'expired sessions leave memory by themselves: leave it out',
  hashIds: 'put it around the store: `store: hashIds(store)`',
  encrypt: 'put it around the store: `store: encrypt(store, keys)`',
  origins: 'give it to sessions.websocket() or sessions.socketio()',
};

function meaning(option: string, ...names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, `did you mean ${option}?`]));
}

function ofTheStore(...names: string[]): Record<string, string> {
  const hint = (name: string) => `did you mean it for the store, as in \`new RedisStore({ ${name} })\`?`;
  return Object.fromEntries(names.map((name) => [name, hint(name)]));
}

/** A warning, not an error: express-session lets apps pass what it doesn't know. */
export function warnOfUnknownOptions(options: object): void {
  for (const name of unknown(options, OPTIONS)) warn(name, hintFor(name), OPTIONS);
}

export function warnOfUnknownCookieOptions(options: object): void {
  for (const name of unknown(options, COOKIE_OPTIONS))
    warn(`cookie.${name}`, cookieHintFor(name), COOKIE_OPTIONS);
}

function unknown(options: object, known: readonly string[]): string[] {
  return Object.keys(options).filter((name) => !known.includes(name));
}

function warn(name: string, hint: string | undefined, known: readonly string[]): void {
  const text = hint ?? `known are: ${known.join(', ')}`;
  warnOnce('WARN_SESSION_UNKNOWN_OPTION', `unknown option ${name} is ignored; ${text}`);
}

/** An option of the cookie may have been given one level too high. */
function hintFor(name: string): string | undefined {
  if (Object.hasOwn(HINTS, name)) return HINTS[name];
  const ofCookie = COOKIE_OPTIONS.find((option) => option.toLowerCase() === name.toLowerCase());
  const meant = ofCookie ? `cookie.${ofCookie}` : didYouMean(name, OPTIONS);
  return meant && `did you mean ${meant}?`;
}

/** An option of `session()` may have been given one level too low. */
function cookieHintFor(name: string): string | undefined {
  if (name === 'signed') return HINTS[name];
  if (OPTIONS.includes(name)) return `did you mean ${name}, beside cookie?`;
  const meant = didYouMean(name, COOKIE_OPTIONS);
  return meant && `did you mean cookie.${meant}?`;
}
