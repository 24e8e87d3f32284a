import { isIP } from 'node:net';
import type { Cookie } from './cookie.js';
import { serializeExpired } from './cookie.js';

/** The most lines that one response spends on strays. */
const MOST_LINES = 8;

/** No host name is longer (RFC 1035 section 2.3.4). */
const MOST_HOST = 255;

/** What a Path attribute may hold: printable ASCII without the semicolon. */
const SENDABLE = /^[\x21-\x3a\x3d-\x7e]*$/;

/**
 * Set-Cookie lines that make the browser drop other cookies of our name, which it sent beside ours: those of an older
 * `path`, of a parent domain, or of the domain where ours is of the host only. The browser doesn't say where they came
 * from (RFC 6265bis section 5.7.3), so every place that this request lets them come from is named, but ours.
 */
export function expireStrays(name: string, cookie: Cookie, host: string, pathname: string): string[] {
  if (name.startsWith('__Host-')) return []; // such a cookie can only be ours
  const paths = pathsAbove(pathname).filter((path) => path !== cookie.path && SENDABLE.test(path));
  const domains = domainsAbove(host).filter(
    (domain) => domain !== cookie.domain?.replace(/^\./, '').toLowerCase(),
  );
  const places = [
    ...domains.map((domain) => ({ domain, path: cookie.path })),
    ...(cookie.domain ? [{ domain: undefined, path: cookie.path }] : []),
    ...paths.map((path) => ({ domain: cookie.domain, path })),
  ];
  return places
    .slice(0, MOST_LINES)
    .map((place) => serializeExpired(name, Object.assign(Object.create(cookie), place)));
}

/** `/a/b/c` gets cookies of `/`, `/a`, `/a/b` and itself (section 5.1.4). */
function pathsAbove(pathname: string): string[] {
  const parts = pathname.split('/', MOST_LINES + 1).filter((part) => part !== '');
  return ['/', ...parts.map((_, at) => `/${parts.slice(0, at + 1).join('/')}`)];
}

/** The host and its parents, without the top level, which can't have cookies. */
function domainsAbove(host: string): string[] {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  if (name.length > MOST_HOST || isIP(name) !== 0 || !/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(name)) return [];
  const labels = name.split('.').slice(-MOST_LINES);
  return labels.slice(0, -1).map((_, at) => labels.slice(at).join('.'));
}
