import { createHash } from 'node:crypto';
import { type ClientRequest, request } from 'node:http';
import session from '../../lib/index.js';
import { type InspectorHandler, type InspectorOptions, inspector } from '../../lib/inspector/index.js';
import type { SessionHandler } from '../../lib/middleware.js';
import { type Answer, Browser, type RequestOptions } from '../support/http.js';
import { closeSites, type Handler, type HostName, type Site, serve } from '../support/sites.js';

export const SECRET = 'a secret of the tests of the inspector, long enough';

/** What the request of an administrator carries. */
export const ADMIN: Record<string, string> = { 'x-admin': 'yes' };

export interface Scene {
  site: Site;
  sessions: SessionHandler;
  inspect: InspectorHandler;
  /** A browser without a session. */
  visitor(): Browser;
  /** Asks the inspector, as an administrator unless `headers` say otherwise. */
  ask(query?: string, options?: RequestOptions): Promise<Answer>;
  /** Opens the stream of a page. */
  watch(headers?: Record<string, string>): EventStream;
  /** A token as the page has it. */
  token(): Promise<string>;
  revoke(hash: string, headers?: Record<string, string>): Promise<Answer>;
}

const inspectors: InspectorHandler[] = [];
const streams: EventStream[] = [];

/** Call it after each test. */
export async function closeScenes(): Promise<void> {
  for (const stream of streams.splice(0)) stream.leave();
  for (const inspect of inspectors.splice(0)) inspect.close();
  await closeSites();
}

/**
 * An app with sessions, and with an inspector at /sessions.
 * @param handler serves all other paths
 */
export async function scene(
  handler: Handler,
  {
    host = 'express 5',
    options = {},
    ...inspectorOptions
  }: Partial<InspectorOptions> & { host?: HostName; options?: session.SessionOptions } = {},
): Promise<Scene> {
  const sessions = session({ ...session.recommended, secret: SECRET, ...options });
  const inspect = inspector(sessions, { guard: isAdmin, ...inspectorOptions });
  inspectors.push(inspect);
  const site = await serve(host, [sessions, mounted('/sessions', inspect), handler]);
  const ask = (query = '', { headers = ADMIN, ...how }: RequestOptions = {}) =>
    new Browser(site).get(`/sessions${query}`, { headers, ...how });
  const token = async () => /data-token="([^"]*)"/.exec((await ask()).body)![1]!;
  return {
    site,
    sessions,
    inspect,
    ask,
    token,
    visitor: () => new Browser(site),
    watch: (headers = ADMIN) => {
      const stream = new EventStream(site.port, '/sessions?stream', headers);
      streams.push(stream);
      return stream;
    },
    revoke: async (hash, headers = {}) =>
      ask(`?revoke=${hash}`, {
        method: 'POST',
        headers: { ...ADMIN, 'x-inspector-token': await token(), ...headers },
      }),
  };
}

function isAdmin(req: { headers: NodeJS.Dict<string | string[]> }): boolean {
  return req.headers['x-admin'] === 'yes';
}

/** As `app.use(path, handler)`, for hosts that have none. */
export function mounted(path: string, handler: Handler): Handler {
  return (req, res, next) => {
    const { url } = req;
    if (url !== path && !url.startsWith(`${path}?`) && !url.startsWith(`${path}/`)) return next();
    req.url = url.slice(path.length);
    return handler(req, res, (error) => {
      req.url = url;
      next(error);
    });
  };
}

/** What stands for a session's id, by its definition in docs/events.md. */
export function hashOf(id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, 12);
}

/** The id in a browser's cookie. */
export function idOf(browser: Browser): string {
  return decodeURIComponent(browser.cookie('connect.sid') ?? '')
    .slice('s:'.length)
    .split('.')[0]!;
}

interface Message {
  name: string;
  data: any;
}

/** A client of server-sent events. */
export class EventStream {
  readonly #request: ClientRequest;
  readonly messages: Message[] = [];
  /** All that came, as it came. */
  text = '';
  readonly status: Promise<number>;
  /** When the server has ended the stream. */
  readonly ended: Promise<void>;
  #watchers: (() => void)[] = [];

  constructor(port: number, path: string, headers: Record<string, string>) {
    this.#request = request({ host: '127.0.0.1', port, path, headers, agent: false });
    const response = new Promise<import('node:http').IncomingMessage>((resolve) =>
      this.#request.on('response', resolve),
    );
    this.#request.on('error', () => {}); // it is left in the middle of it
    this.status = response.then(({ statusCode }) => statusCode!);
    this.ended = response.then(
      (message) =>
        new Promise((resolve) => {
          message.setEncoding('utf8');
          message.on('data', (text: string) => this.#take(text));
          message.on('end', resolve);
          message.on('error', () => {});
        }),
    );
    this.#request.end();
  }

  /** The first message, of those that have come or will, that matches. */
  async next<T = any>(name: string, matches: (data: any) => boolean = () => true): Promise<T> {
    for (;;) {
      const found = this.messages.find((message) => message.name === name && matches(message.data));
      if (found) return found.data;
      await new Promise<void>((resolve) => this.#watchers.push(resolve));
    }
  }

  leave(): void {
    this.#request.destroy();
  }

  #take(text: string): void {
    const before = this.text.lastIndexOf('\n\n') + 2;
    this.text += text;
    const until = this.text.lastIndexOf('\n\n');
    if (until < before) return;
    const start = before === 1 ? 0 : before;
    for (const block of this.text.slice(start, until).split('\n\n')) this.#parse(block);
    for (const wake of this.#watchers.splice(0)) wake();
  }

  #parse(block: string): void {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
    const data = field('data');
    if (data !== undefined) this.messages.push({ name: field('event')!, data: JSON.parse(data) });
  }
}
