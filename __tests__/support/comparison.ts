import type { ServerResponse } from 'node:http';
import { types } from 'node:util';
import session from '../../lib/index.js';
import { RawClient } from './http.js';
import { baseOptions } from './lifecycle.js';
import { type Handler, type HostName, serve } from './sites.js';
import { makeStore, type StoreName, type TestStore } from './test-stores.js';

/** Writes down what an app sees: results, errors, callbacks and events, in their order. */
export class Log {
  readonly entries: string[] = [];
  readonly #res: unknown;

  constructor(res: unknown) {
    this.#res = res;
  }

  note(what: string, ...values: unknown[]): void {
    this.entries.push([`${what}:`, ...values.map((value) => this.#print(value))].join(' '));
  }

  /** Notes what `run` returns or throws. */
  attempt(what: string, run: () => unknown): void {
    let outcome: unknown;
    try {
      outcome = run();
    } catch (error) {
      this.note(`${what} throws`, error);
      return;
    }
    this.note(`${what} returns`, outcome);
  }

  /** A callback that notes when it is called, and with what. */
  callback(what: string): (...values: unknown[]) => void {
    return (...values) => this.note(`callback of ${what}`, ...values);
  }

  #print(value: unknown): string {
    if (value === this.#res) return 'the response';
    if (types.isNativeError(value))
      return `${value.name} ${(value as NodeJS.ErrnoException).code}: ${value.message}`;
    return JSON.stringify(value) ?? String(value);
  }
}

/** What an app does with its response. */
export type Recipe = (context: { req: any; res: any; log: Log }) => unknown;

export interface Outcome {
  /** All bytes that the client got, without the Date and the session's cookie. */
  wire: string;
  log: string[];
  /** The Set-Cookie lines of the session. */
  cookies: string[];
}

export interface Stage {
  host?: HostName;
  /** In front of the app, and of the sessions if there are any. */
  before?: Handler[];
  /** Between the sessions and the recipe. */
  between?: Handler[];
  /** The bytes that the client sends; the server must close the connection after its answer. */
  request?: string;
}

export interface Sessions {
  store: StoreName;
  /** What the app does with its session before the recipe. */
  act: (session: any) => void;
  /** The browser comes with the cookie of a stored session. */
  known: boolean;
  options?: session.SessionOptions;
}

export const GET = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

/** Plays a recipe on a server, with or without sessions, and tells what the client and the app have seen. */
export async function play(recipe: Recipe, stage: Stage = {}, sessions?: Sessions): Promise<Outcome> {
  const { host = 'node:http', before = [], between = [], request = GET } = stage;
  const stored = sessions && makeStore(sessions.store);
  const log: string[][] = [];
  const handlers = [
    ...before,
    ...(sessions && stored ? withSessions(sessions, stored) : []),
    ...between,
    answerBy(recipe, log),
  ];
  const site = await serve(host, handlers);
  const cookie = sessions?.known ? `Cookie: connect.sid=${await storeOne(stored!)}\r\n` : '';
  const client = new RawClient(site.port).send(request.replaceAll('\r\nHost:', `\r\n${cookie}Host:`));
  const received = await client.closed;
  await site.settled();
  await stored?.traffic.idle();
  return { ...withoutOurs(received), log: log.flat() };
}

function withSessions({ act, options }: Sessions, { store }: TestStore): Handler[] {
  const actOnSession: Handler = (req, _res, next) => {
    act(req.session);
    next();
  };
  return [session({ ...baseOptions, genid: () => ID, store, ...options }), actOnSession];
}

function answerBy(recipe: Recipe, logs: string[][]): Handler {
  return (req, res: ServerResponse) => {
    const log = new Log(res);
    logs.push(log.entries);
    for (const event of ['error', 'finish', 'close']) {
      res.on(event, (...values) => log.note(`event ${event}`, ...values));
    }
    return recipe({ req, res, log });
  };
}

const ID = 'a-session-of-the-test';

async function storeOne({ store }: TestStore): Promise<string> {
  const text = JSON.stringify({
    cookie: { originalMaxAge: null, expires: null, path: '/', httpOnly: true },
    user: 'ada',
  });
  if (isTextStore(store)) await store.set(ID, text, { expires: Date.now() + 60_000 });
  else
    await new Promise<void>((resolve) => (store as session.Store).set(ID, JSON.parse(text), () => resolve()));
  return `s%3A${signed}`;
}

function isTextStore(store: session.Store | session.SessionStore): store is session.SessionStore {
  return store.get.length < 2;
}

/** The id above, signed with the secret of {@link baseOptions} as the package `cookie-signature` does it. */
const signed: string = encodeURIComponent(require('cookie-signature').sign(ID, baseOptions.secret));

function withoutOurs(received: string): Pick<Outcome, 'wire' | 'cookies'> {
  const cookies: string[] = [];
  const wire = received.replace(/^(?:Date|Set-Cookie): .*\r\n/gim, (line) => {
    if (/^Date/i.test(line)) return '';
    if (!/^Set-Cookie: connect\.sid=/i.test(line)) return line;
    cookies.push(line.trimEnd());
    return '';
  });
  return { wire, cookies };
}
