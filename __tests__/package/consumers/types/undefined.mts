// Every option may be there and `undefined`, as the environment's variables are, with `exactOptionalPropertyTypes` too.
import type {
  ConnectStoreOptions,
  CookieOptions,
  encrypt,
  hashIds,
  MemoryStore,
  SessionHandler,
  SessionOptions,
  SocketOptions,
  toConnectStore,
  WebSocketOptions,
} from 'steady-session';
import type { ConformanceOptions } from 'steady-session/conformance';
import type { InspectorOptions } from 'steady-session/inspector';
import type { PostgresStoreOptions } from 'steady-session/postgres';
import type { RedisStoreOptions } from 'steady-session/redis';
import type { SqliteStoreOptions } from 'steady-session/sqlite';

/** The options that may be left out, but may not be `undefined`. */
type Refused<Options> = {
  [Name in keyof Options]-?: object extends Pick<Options, Name>
    ? { [Same in Name]: undefined } extends Pick<Options, Name>
      ? never
      : Name
    : never;
}[keyof Options];

type RefusedBy<Parameter> = Refused<NonNullable<Parameter>>;

interface All {
  session: Refused<SessionOptions>;
  cookie: Refused<CookieOptions>;
  revoke: RefusedBy<Parameters<SessionHandler['revoke']>[1]>;
  socketio: Refused<SocketOptions>;
  websocket: Refused<WebSocketOptions>;
  memory: RefusedBy<ConstructorParameters<typeof MemoryStore>[0]>;
  redis: Refused<RedisStoreOptions>;
  postgres: Refused<PostgresStoreOptions>;
  sqlite: Refused<SqliteStoreOptions>;
  encrypt: RefusedBy<Parameters<typeof encrypt>[2]>;
  hashIds: RefusedBy<Parameters<typeof hashIds>[1]>;
  fromConnectStore: Refused<ConnectStoreOptions>;
  toConnectStore: RefusedBy<Parameters<typeof toConnectStore>[1]>;
  conformance: Refused<ConformanceOptions>;
  inspector: Refused<InspectorOptions>;
}

export const refused: [All[keyof All]] extends [never] ? true : All[keyof All] = true;

// that this would find one
export const found: Refused<{ may?: string | undefined; mayNot?: string }> = 'mayNot';
