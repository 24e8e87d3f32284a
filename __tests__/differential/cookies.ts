import { createHmac } from 'node:crypto';
import type { Response } from './client.js';
import type { CookieToSend } from './scenario.js';

/** The first signs; the second is an older one that is still accepted where secrets are rotated. */
export const SECRETS = ['a secret', 'an older secret'] as const;

/** Collects the session cookies that a server sets; unlike a browser, it heeds none of their attributes. */
export class CookieJar {
  readonly #name: string;
  readonly #values: string[] = [];

  constructor(name: string) {
    this.#name = name;
  }

  keep({ headers }: Response): void {
    for (const [name, value] of headers) {
      if (name === 'Set-Cookie' && value.startsWith(`${this.#name}=`)) this.#values.push(valueIn(value));
    }
  }

  /** The Cookie header to send, if any. */
  header(wanted: CookieToSend): string | undefined {
    if (typeof wanted === 'object' && 'header' in wanted) return this.#fill(wanted.header);
    const value = this.#value(wanted);
    return value === undefined ? undefined : `${this.#name}=${value}`;
  }

  #value(wanted: Exclude<CookieToSend, { header: string }>): string | undefined {
    const latest = this.#values.at(-1);
    if (typeof wanted === 'object') return signedValue(wanted.id, SECRETS[0]);
    switch (wanted) {
      case 'latest':
        return latest;
      case 'first':
        return this.#values[0];
      case 'none':
        return undefined;
      case 'unknown':
        return signedValue('no-such-session', SECRETS[0]);
      case 'tampered':
        return latest?.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
      case 'truncated':
        return latest?.slice(0, -5);
      case 'unsigned':
        return latest && idOf(latest);
      case 'old secret':
        return latest && signedValue(idOf(latest), SECRETS[1]);
    }
  }

  #fill(template: string): string {
    const value = this.#values.at(-1) ?? '';
    const filled = { '{name}': this.#name, '{value}': value, '{pair}': `${this.#name}=${value}` };
    return Object.entries(filled).reduce((text, [mark, with_]) => text.replaceAll(mark, with_), template);
  }
}

/** The value of a session cookie, as the wire has it. */
export function signedValue(id: string, secret: string): string {
  const signature = createHmac('sha256', secret).update(id).digest('base64').replace(/=+$/, '');
  return encodeURIComponent(`s:${id}.${signature}`);
}

function valueIn(setCookie: string): string {
  return setCookie.slice(setCookie.indexOf('=') + 1).split(';')[0]!;
}

function idOf(value: string): string {
  const signed = decodeURIComponent(value).slice('s:'.length);
  return signed.slice(0, signed.lastIndexOf('.'));
}
