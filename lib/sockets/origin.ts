import type { IncomingMessage } from 'node:http';
import { adviseOnForeignOrigin } from '../advice.js';
import type { Core } from '../core.js';
import { badOption, describe } from '../option-checks.js';
import type { IncomingRequest } from '../request/context.js';
import type { HandshakeResponse } from './handshake.js';

/** Decides on all origins itself; `undefined` is that of a program that is no browser. Refuses when it throws. */
export type OriginFunction = (origin: string | undefined, req: any) => boolean | Promise<boolean>;

/** Which pages may open a socket besides those of the same host: their origins, or a function that decides on all. */
export type Origins = readonly string[] | OriginFunction;

/**
 * Whether the page that opens the socket may. A browser sends the cookie along whatever page asks, so that a foreign one
 * could speak in the user's name (cross-site WebSocket hijacking; RFC 6455 section 10.2). Programs that are no browsers
 * send no Origin, and have no cookie that was not given to them.
 */
export async function isAllowedOrigin(req: IncomingMessage, origins: Origins): Promise<boolean> {
  const { origin } = req.headers;
  if (typeof origins === 'function') return (await origins(origin, req)) === true;
  return isSameHost(req) || origins.includes(origin as string);
}

/** A function that fails has not allowed anything. The developer is told of what a list refuses: a function of theirs knows why. */
export async function isAllowed(core: Core, req: IncomingRequest, origins: Origins): Promise<boolean> {
  try {
    const allowed = await isAllowedOrigin(req, origins);
    if (!allowed && typeof origins !== 'function') adviseOnForeignOrigin(req.headers.origin as string);
    return allowed;
  } catch (error) {
    core.events.report('', req, error);
    return false;
  }
}

/** Whether the page's origin has the host that it asks, port included; or no page asks. */
export function isSameHost(req: IncomingMessage): boolean {
  const { origin, host } = req.headers;
  return origin === undefined || (host !== undefined && hostsOf(origin).includes(host.toLowerCase()));
}

/**
 * Whether the answer lets the page read it, and send its cookie for it (Fetch standard, CORS protocol). Engine.IO runs the
 * app's `cors` on handshakes as well, before any other middleware.
 */
export function isAllowedByCors(req: IncomingMessage, res: Pick<HandshakeResponse, 'getHeader'>): boolean {
  const { origin } = req.headers;
  const allowed = (name: string) => res.getHeader?.(`Access-Control-Allow-${name}`);
  try {
    return allowed('Origin') === origin && allowed('Credentials') === 'true';
  } catch {
    return false; // that of websocket-express is no response, but looks like one
  }
}

/** @throws TypeError unless each is just what a browser sends, such as `https://app.example.com` */
export function checkOrigins(origins: unknown): Origins {
  if (typeof origins === 'function') return origins as OriginFunction;
  const allowed =
    "an array of origins such as ['https://app.example.com'], without a path, or a function (origin, req) => boolean";
  if (!Array.isArray(origins)) throw badOption('origins', origins, allowed + meantBy(origins));
  for (const each of origins) {
    if (typeof each !== 'string' || originOf(each) !== each)
      throw badOption('origins', each, allowed + meantBy(each));
  }
  return origins;
}

function meantBy(given: unknown): string {
  if (typeof given !== 'string') return '';
  const isHost = /^[\w-]+[.:][\w.:-]+$/.test(given); // also a.example:8443, of which `a.example` would be the scheme
  const meant = originOf(isHost ? `https://${given}` : given);
  return meant === undefined || meant === 'null' ? '' : ` (did you mean [${describe(meant)}]?)`;
}

/** Undefined for the opaque origin, too, which browsers write as `null`: it is nobody's in particular. */
function originOf(text: string): string | undefined {
  return URL.canParse(text) ? new URL(text).origin : undefined;
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** What a Host header may say for the origin. Browsers leave out the default port, which some proxies add: `$host:$server_port`. */
function hostsOf(origin: string): readonly string[] {
  if (!URL.canParse(origin)) return [];
  const { host, port, protocol } = new URL(origin);
  const defaultPort = port === '' ? DEFAULT_PORTS[protocol] : undefined;
  return defaultPort ? [host, `${host}:${defaultPort}`] : [host];
}
