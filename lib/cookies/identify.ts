import depd from 'depd';
import { compact } from '../compact.js';
import { Recent } from '../recent.js';
import type { IncomingRequest } from '../request/context.js';
import { decodeCookieValue, readCookies } from './cookie-header.js';
import { CookieValue, START } from './cookie-value.js';
import { type Secret, unsign } from './signature.js';

const deprecate = depd('express-session');

/** How many genuine cookies are tried. A browser sends several when a parent domain or an older path set one too. */
const MOST_IDENTITIES = 4;

/** How many cookies of our name are verified: a subdomain may set forged ones, which are not to crowd out the genuine. */
const MOST_COOKIES = 64;

/** How many verified cookies are remembered, for each middleware. */
const MOST_REMEMBERED = 4096;

/** A session id that came in a cookie with a signature of ours. */
export interface Identity {
  readonly id: string;
  /** It was signed by a secret that is no longer the first. */
  readonly signedByOldSecret: boolean;
  /** What the cookie held. */
  readonly value?: CookieValue;
}

const NONE: readonly Identity[] = [];

/** Finds the session ids that requests name by genuine cookies. */
export class Identifier {
  readonly #name: string;
  /** By the cookie's value as the browser sends it. To verify it again would cost 1.3 us, a fifth of a session's read. */
  #verified = new Recent<readonly Identity[]>(MOST_REMEMBERED);
  /** What they were verified with. */
  #secrets: readonly Secret[] = [];

  constructor(name: string) {
    this.#name = name;
  }

  /**
   * The session ids that the request's cookies name, in the browser's order. Cookies whose signature is not ours are
   * left out, before the store is asked anything.
   */
  identify(req: IncomingRequest, secrets: readonly Secret[]): readonly Identity[] {
    const { cookie } = req.headers;
    if (cookie !== undefined) {
      this.#forgetIfOthers(secrets);
      const identities = this.#identitiesOf(readCookies(cookie, this.#name, MOST_COOKIES), secrets);
      if (identities.length > 0) return identities;
    }
    if (!req.signedCookies && !req.cookies) return NONE;
    const identity = fromCookieParser(req, this.#name, secrets);
    return identity ? [identity] : NONE;
  }

  #identitiesOf(values: readonly string[], secrets: readonly Secret[]): readonly Identity[] {
    if (values.length === 1) return this.#verify(values[0] as string, secrets);
    let identities = NONE;
    for (const value of values) {
      if (identities.length === MOST_IDENTITIES) break;
      identities = [...identities, ...this.#verify(value, secrets).filter(isNotAmong(identities))];
    }
    return identities;
  }

  /** @returns one identity, or none */
  #verify(value: string, secrets: readonly Secret[]): readonly Identity[] {
    const known = this.#verified.get(value);
    if (known) return known;
    const decoded = decodeCookieValue(value);
    const identity = verified(decoded, secrets);
    if (!identity) return NONE;
    const found = [identity];
    if (isUsualSpelling(value, decoded)) this.#verified.set(compact(value), found);
    return found;
  }

  /** An app may change the array of its secrets while it runs, and `cookie-parser` brings one with each request. */
  #forgetIfOthers(secrets: readonly Secret[]): void {
    if (areSame(secrets, this.#secrets)) return;
    this.#secrets = [...secrets];
    this.#verified = new Recent(MOST_REMEMBERED);
  }
}

/**
 * Whether a cookie's value came as we send it, or not encoded at all. One cookie has countless other spellings, by which a client
 * could fill the memory of verified cookies, and each would be looked for in the same place.
 */
function isUsualSpelling(value: string, decoded: string): boolean {
  return value === decoded || value === encodeURIComponent(decoded);
}

function areSame(secrets: readonly Secret[], others: readonly Secret[]): boolean {
  for (let index = 0; index < secrets.length; index++) {
    if (secrets[index] !== others[index]) return false;
  }
  return secrets.length === others.length;
}

function isNotAmong(identities: readonly Identity[]): (identity: Identity) => boolean {
  return ({ id }) => !identities.some((each) => each.id === id);
}

/** Older apps relied on what `cookie-parser` had read; still done, as express-session does, with a warning. */
function fromCookieParser(
  req: IncomingRequest,
  name: string,
  secrets: readonly Secret[],
): Identity | undefined {
  const signed = req.signedCookies?.[name];
  if (signed && typeof signed === 'string') {
    deprecate('cookie should be available in req.headers.cookie');
    return { id: compact(signed), signedByOldSecret: false };
  }
  const identity = verified(req.cookies?.[name], secrets);
  if (identity) deprecate('cookie should be available in req.headers.cookie');
  return identity;
}

/** cookie-parser makes objects of cookies that start with `j:`; those can't be ours. */
function verified(raw: unknown, secrets: readonly Secret[]): Identity | undefined {
  if (typeof raw !== 'string' || !raw.startsWith(START)) return undefined;
  const signed = raw.slice(START.length);
  const result = unsign(signed, secrets);
  if (!result || result.value === '') return undefined;
  const value = new CookieValue(compact(signed));
  return { id: compact(result.value), signedByOldSecret: result.secret > 0, value };
}
