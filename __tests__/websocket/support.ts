import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { WebSocket, WebSocketServer } from 'ws';
import session from '../../lib/index.js';
import { eventually } from '../support/async.js';
import { type Answer, Browser } from '../support/http.js';

export const SECRET = 'a secret for the tests of sockets, 32 bytes or more';

/** What stands for an id in the messages between processes. */
export function hashed(id: string): string {
  return `sha256-${createHash('sha256').update(id).digest('base64url')}`;
}

type Operation = 'get' | 'set' | 'touch' | 'destroy';

/** A store of text that counts its calls, and can be told to fail or to hang. */
export class CountingStore implements session.SessionStore {
  readonly records = new Map<string, { text: string; expires: number }>();
  readonly calls: Operation[] = [];
  failure: Error | undefined;
  hangs = false;

  get(id: string): Promise<string | undefined> {
    return this.#do('get', () => this.#live(id));
  }

  set(id: string, text: string, { expires, expected }: session.SetOptions): Promise<boolean> {
    return this.#do('set', () => {
      if (expected !== undefined && expected !== (this.#live(id) ?? null)) return false;
      this.records.set(id, { text, expires });
      return true;
    });
  }

  touch(id: string, expires: number): Promise<boolean> {
    return this.#do('touch', () => {
      const text = this.#live(id);
      if (text !== undefined) this.records.set(id, { text, expires });
      return text !== undefined;
    });
  }

  destroy(id: string): Promise<void> {
    return this.#do('destroy', () => {
      this.records.delete(id);
    });
  }

  count(operation: Operation): number {
    return this.calls.filter((call) => call === operation).length;
  }

  /** The data of all sessions, without their cookies. */
  data(): Record<string, unknown>[] {
    return [...this.records.values()].map(({ text }) => {
      const { cookie: _, ...data } = JSON.parse(text);
      return data;
    });
  }

  async #do<T>(operation: Operation, work: () => T): Promise<T> {
    this.calls.push(operation);
    if (this.hangs) await new Promise(() => {});
    if (this.failure) throw this.failure;
    return work();
  }

  #live(id: string): string | undefined {
    const record = this.records.get(id);
    return record && record.expires > Date.now() ? record.text : undefined;
  }
}

const running: (() => unknown)[] = [];

/** Call it after each test. */
export async function closeAll(): Promise<void> {
  await Promise.all(running.splice(0).map((close) => close()));
}

export function closeLater(close: () => unknown): void {
  running.push(close);
}

export async function listen(handler: RequestListener = (_req, res) => res.end()): Promise<Server> {
  const server = createServer(handler).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closeLater(() => {
    server.closeAllConnections();
    server.close();
  });
  return server;
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** An app whose page `/do` runs what a test wants done in an HTTP request, and a browser of it. */
export function appWith(sessions: session.SessionHandler): Acting {
  let act: (req: express.Request) => unknown = () => {};
  const app = express();
  app.use(sessions);
  app.get('/do', async (req, res) => {
    const result = await act(req);
    res.json(result ?? null);
  });
  return {
    app,
    browserOf(server) {
      const browser = new Browser({ port: portOf(server), http2: false });
      return {
        browser,
        cookie: () => browser.cookieHeader('/'),
        async inRequest(action, cookie) {
          act = action;
          return browser.get('/do', cookie === undefined ? {} : { headers: { cookie } });
        },
      };
    },
  };
}

export interface Acting {
  app: express.Express;
  browserOf(server: Server): User;
}

export interface User {
  browser: Browser;
  cookie(): string;
  /** Runs `action` in an HTTP request of this user's, or with another cookie. */
  inRequest(action: (req: express.Request) => unknown, cookie?: string): Promise<Answer>;
}

/** The server's end of a socket. */
export interface ServerSide {
  client: WebSocket;
  req: IncomingMessage & { session: any; sessionID: string };
}

export interface Site extends User {
  store: CountingStore;
  sessions: session.SessionHandler;
  server: Server;
  wss: WebSocketServer;
  /** Those that are or were open, oldest first. */
  opened: ServerSide[];
  /** Opens a socket with the user's cookie. */
  open(headers?: Record<string, string>): Promise<Client>;
}

export interface SiteOptions {
  options?: session.SessionOptions;
  store?: CountingStore;
  sockets?: Parameters<session.SessionHandler['websocket']>[1];
}

/** An app with sessions and a `ws` server on one port. */
export async function startSite({
  options = {},
  store = new CountingStore(),
  sockets,
}: SiteOptions = {}): Promise<Site> {
  const sessions = session({ ...session.recommended, secret: SECRET, store, ...options });
  const { app, browserOf } = appWith(sessions);
  const server = await listen(app);
  const wss = new WebSocketServer({ server });
  closeLater(() => {
    for (const client of wss.clients) client.terminate();
  });
  sessions.websocket(wss, sockets);
  const opened: ServerSide[] = [];
  wss.on('connection', (client, req) => opened.push({ client, req: req as ServerSide['req'] }));
  const user = browserOf(server);
  const open = (headers = {}) => openSocket(portOf(server), { cookie: user.cookie(), ...headers });
  return { ...user, store, sessions, server, wss, opened, open };
}

/** The client's end of a socket. */
export interface Client {
  socket: WebSocket;
  /** The Set-Cookie lines of the handshake's answer. */
  setCookie: string[];
  /** How it was closed. */
  closed: Promise<[code: number, reason: string]>;
}

/** Rejects with the status and the body if the handshake is refused. */
export async function openSocket(port: number, headers: Record<string, string> = {}): Promise<Client> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: withoutEmpty(headers) });
  closeLater(() => socket.terminate());
  const setCookie: string[] = [];
  socket.on('upgrade', (response) => setCookie.push(...(response.headers['set-cookie'] ?? [])));
  const closed = new Promise<[number, string]>((resolve) => {
    socket.on('close', (code, reason) => resolve([code, String(reason)]));
  });
  await new Promise<void>((resolve, reject) => {
    socket.on('open', resolve);
    socket.on('error', reject);
    socket.on('unexpected-response', async (_req, response: IncomingMessage) => {
      let body = '';
      for await (const chunk of response) body += chunk;
      reject(new Error(`${response.statusCode} ${body}`.trim()));
    });
  });
  return { socket, setCookie, closed };
}

function withoutEmpty(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ''));
}

/** Lets the server see the message before it resolves. */
export async function say(site: Site, client: Client, text = 'hello'): Promise<void> {
  const { client: serverSide } = await eventually(() => site.opened.at(-1));
  const heard = once(serverSide, 'message');
  client.socket.send(text);
  await heard;
}

/** Closes a socket from the client and waits until the server, its handlers included, is done with it. */
export async function hangUp(site: Site, client: Client): Promise<void> {
  const { client: serverSide } = site.opened.at(-1)!;
  const closed = once(serverSide, 'close');
  client.socket.close();
  await closed;
  await turns();
}

/** Lets what the store answers at once be done. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
}
