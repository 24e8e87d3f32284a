/**
 * A scenario is plain data: options, a store, and requests that each carry the script of their handler. So it can be
 * generated, shrunk, printed, and run against any subject.
 */
export interface Scenario {
  host: HostName;
  options: OptionsSpec;
  store: StoreSpec;
  requests: RequestSpec[];
}

export type HostName = 'http' | 'express4' | 'express5';
export const HOSTS: readonly HostName[] = ['http', 'express4', 'express5'];

export type SecretSpec = 'text' | 'rotated' | 'buffer' | 'req.secret' | 'none';

export interface OptionsSpec {
  resave?: boolean;
  saveUninitialized?: boolean;
  rolling?: boolean;
  unset?: 'keep' | 'destroy';
  proxy?: boolean;
  name?: string;
  /** Gives the name by the old option `key`. */
  nameAsKey?: boolean;
  secret: SecretSpec;
  cookie?: CookieSpec;
  /** Requests look as if they came over TLS. */
  encrypted?: boolean | 'connection';
  /** What Express is told about proxies, for `proxy: undefined`. */
  trustProxy?: boolean;
  /** Puts cookie-parser, with the same secret, in front. */
  cookieParser?: boolean;
  /** Where an Express app mounts the middleware. */
  mountAt?: string;
  /** How often the middleware is mounted. Default 1. */
  mounts?: number;
}

export interface CookieSpec {
  maxAge?: number | null;
  /** A fixed `expires` Date, this many ms after the start. */
  expiresIn?: number;
  httpOnly?: boolean;
  secure?: boolean | 'auto';
  sameSite?: boolean | 'lax' | 'strict' | 'none' | 'auto';
  path?: string;
  domain?: string;
  partitioned?: boolean;
  priority?: 'low' | 'medium' | 'high';
  /** Gives the options as a function of the request. */
  asFunction?: boolean;
}

export type Operation = 'get' | 'set' | 'touch' | 'destroy';

/** Makes the `on`th call (from 1) of an operation fail. */
export interface Fault {
  operation: Operation;
  on: number;
  code?: string;
  /** Throws at once, instead of calling back with the error. */
  throws?: boolean;
}

export interface StoreSpec {
  /** `memory` is the subject's own MemoryStore; `default` leaves the option out. */
  kind: 'recording' | 'memory' | 'default';
  /** Whether the store has a `touch` method. */
  touch: boolean;
  /** Turns of the event loop before it calls back; 0 calls back synchronously. */
  turns: number;
  /** What it calls back with for an unknown id. */
  missing: 'undefined' | 'null' | 'ENOENT';
  faults?: Fault[];
  /** Records that are there from the beginning, id to JSON text. */
  records?: Record<string, string>;
}

export type CookieToSend =
  | 'latest' // the last one that the server set
  | 'first' // the first one that it set, perhaps of a session that is gone
  | 'none'
  | 'tampered' // the last one with one character of its signature changed
  | 'truncated' // the last one without the end of its signature
  | 'unsigned' // a bare id
  | 'unknown' // signed properly, not in the store
  | 'old secret' // the last id, signed with the second secret
  | { id: string } // signed properly
  | { header: string }; // a raw Cookie header; `{pair}`, `{value}` and `{name}` stand for the last cookie's

export interface RequestSpec {
  method?: 'GET' | 'HEAD' | 'POST';
  path?: string;
  headers?: Record<string, string>;
  cookie: CookieToSend;
  /** Moves the clock before the request, in ms. */
  after?: number;
  /** The store emits this before the request. */
  store?: 'disconnect' | 'connect';
  actions: Action[];
  ending: Ending;
}

export type Action =
  | { do: 'read'; key: string }
  | { do: 'write'; key: string; value: unknown }
  | { do: 'nested'; key: string; value: unknown } // changes a member of an object in the session
  | { do: 'same'; key: string } // writes what is there already
  | { do: 'remove'; key: string }
  | { do: 'regenerate' }
  | { do: 'destroy' }
  | { do: 'reload' }
  | { do: 'save' }
  | { do: 'save, unheeded' } // save() without a callback
  | { do: 'destroy, unheeded' }
  | { do: 'touch' }
  | { do: 'resetMaxAge' }
  | { do: 'null' } // req.session = null
  | { do: 'delete' } // delete req.session
  | { do: 'generate' } // req.sessionStore.generate(req)
  | { do: 'sessionID'; value: unknown } // req.sessionID = value
  | { do: 'cookie'; property: string; value: unknown }
  | { do: 'cookie expires'; in: number | null | false } // req.session.cookie.expires = a Date
  | { do: 'header'; name: string; value: string | string[] } // res.setHeader
  | { do: 'turn' } // waits a turn of the event loop
  | { do: 'tick' } // waits a microtask
  | { do: 'clock'; ms: number }; // time passes

export type Body = { text: string; encoding?: 'utf8' | 'latin1' | 'base64' } | { base64: string } | null;

export type Ending =
  | { by: 'end'; status?: number; body: Body; twice?: boolean }
  | { by: 'length'; body: Body } // declares its Content-Length
  | {
      by: 'writeHead';
      status: number;
      reason?: string;
      headers?: Record<string, string | string[]> | string[] | [name: string, value: string][];
      /** What the app does between writeHead and the end. */
      meanwhile?: Action[];
      body: Body;
    }
  | { by: 'flushHeaders'; body: Body }
  | { by: 'stream'; parts: { text: string; meanwhile: Action[] }[]; last: Body }
  | { by: 'pipe'; text: string }
  | { by: 'redirect'; to: string }
  | { by: 'send'; status?: number; text: string } // in Express with an ETag, so 304 with If-None-Match
  | { by: 'json'; value: unknown }
  | { by: 'sendStatus'; status: number }
  | { by: 'throw'; message: string }
  | { by: 'next'; message?: string };

/** A scenario as a person reads it. */
export function describeScenario({ host, options, store, requests }: Scenario): string {
  return [
    `host ${host}; store ${JSON.stringify(store)}`,
    `options ${JSON.stringify(options)}`,
    ...requests.map((request, index) => `${index + 1}. ${describeRequest(request)}`),
  ].join('\n');
}

function describeRequest({ actions, ending, ...request }: RequestSpec): string {
  const steps = [...actions.map(({ do: verb, ...rest }) => word(verb, rest)), describeEnding(ending)];
  return `${JSON.stringify(request)}\n     ${steps.join('; ')}`;
}

function describeEnding({ by, ...rest }: Ending): string {
  return `=> ${word(by, rest)}`;
}

function word(verb: string, details: object): string {
  return Object.keys(details).length === 0 ? verb : `${verb} ${JSON.stringify(details)}`;
}
