import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Response, send } from './client.js';
import { passTime, resetClock } from './clock.js';
import { CookieJar, SECRETS } from './cookies.js';
import { type LogEntry, serve } from './handler.js';
import { type App, listen } from './hosts.js';
import { buildOptions } from './options.js';
import type { Call } from './recording-store.js';
import type { RequestSpec, Scenario } from './scenario.js';
import { closeStore, makeStore } from './stores.js';
import type { Middleware, Subject } from './subjects.js';

const cookieParser = require('cookie-parser') as (secret: string) => Middleware;

/** Everything observable of a scenario. */
export interface Transcript {
  exchanges: Exchange[];
  /** The records at the end: id to JSON text. */
  stored: Record<string, string>;
}

export interface Exchange {
  response: Response;
  /** What the handler saw of its session, action by action. */
  log: LogEntry[];
  /** What the store was asked, in order. */
  calls: Call[];
  /** What reached the app's error handler, and whether the headers had gone by then. */
  errors: { message: string; headersSent: boolean }[];
}

/** Runs a scenario against a subject over real HTTP. */
export async function transcribe(subject: Subject, scenario: Scenario): Promise<Transcript> {
  resetClock();
  const bench = setUp(subject, scenario);
  const server = await listen(scenario.host, bench.app);
  const jar = new CookieJar(scenario.options.name ?? 'connect.sid');
  const exchanges: Exchange[] = [];
  try {
    for (const request of scenario.requests) {
      passTime(request.after ?? 0);
      const { response, ...seen } = await bench.observe(request, () => sendRequest(server, request, jar));
      jar.keep(response);
      exchanges.push({ response, ...seen });
    }
    return { exchanges, stored: await bench.stored() };
  } finally {
    server.close();
    bench.close();
  }
}

function sendRequest(
  server: Server,
  { method, path, headers, cookie }: RequestSpec,
  jar: CookieJar,
): Promise<Response> {
  const header = jar.header(cookie);
  const { port } = server.address() as AddressInfo;
  return send(port, method ?? 'GET', path ?? '/', {
    ...headers,
    ...(header !== undefined && { Cookie: header }),
  });
}

interface Bench {
  app: App;
  /** Sends a request and gathers what it led to, on both sides. */
  observe(request: RequestSpec, send: () => Promise<Response>): Promise<Exchange>;
  stored(): Promise<Record<string, string>>;
  close(): void;
}

function setUp(subject: Subject, { options, store: spec }: Scenario): Bench {
  const contents = makeStore(subject, spec);
  const middleware = subject(buildOptions(options, contents.store));
  const running = new Set<Promise<void>>();
  let script: RequestSpec;
  let log: LogEntry[] = [];
  let errors: Exchange['errors'] = [];
  let storeInUse: unknown;

  const app: App = {
    before: [
      ignoreLateErrors,
      ...(options.encrypted
        ? [options.encrypted === 'connection' ? pretendOtherConnection : pretendTLS]
        : []),
      ...(options.cookieParser ? [cookieParser(SECRETS[0])] : []),
    ],
    sessions: Array.from({ length: options.mounts ?? 1 }, () => middleware),
    mountAt: options.mountAt ?? '/',
    trustProxy: options.trustProxy ?? false,
    handler: (req, res, next) => {
      storeInUse = req['sessionStore'] ?? storeInUse;
      const served = serve(script, req, res, next, log).catch(next);
      running.add(served);
      void served.then(() => running.delete(served));
    },
    onError: (error, res) => {
      errors.push({ message: String(error), headersSent: res.headersSent });
      if (!res.headersSent) res.writeHead(500, { 'Content-Type': 'text/plain' }).end('the app says sorry');
    },
  };

  return {
    app,
    stored: contents.stored,
    close: () => closeStore(storeInUse),
    observe: async (request, sendIt) => {
      script = request;
      log = [];
      errors = [];
      if (request.store) contents.store?.emit(request.store);
      const response = await sendIt();
      await quiet(() => running.size === 0 && contents.pending() === 0);
      return { response, log, calls: contents.takeCalls(), errors };
    },
  };
}

const pretendTLS: Middleware = (req, _res, next) => {
  Object.assign(req.socket, { encrypted: true });
  next();
};

/** As platforms do that make up requests: what they call its socket need not be its connection. */
const pretendOtherConnection: Middleware = (req, _res, next) => {
  Object.defineProperty(req, 'connection', { value: { encrypted: true } });
  next();
};

/** A second end with data is an `error` event of the response in plain node:http; nobody listens in these apps. */
const ignoreLateErrors: Middleware = (_req, res, next) => {
  res.on('error', () => undefined);
  next();
};

/** Resolves when nothing is under way, and stays so for some turns of the event loop: late errors come by then. */
async function quiet(idle: () => boolean): Promise<void> {
  for (let turns = 0; turns < 4; turns = idle() ? turns + 1 : 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
