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

type AllOptions =
  | Refused<SessionOptions>
  | Refused<CookieOptions>
  | RefusedBy<Parameters<SessionHandler['revoke']>[1]>
  | Refused<SocketOptions>
  | Refused<WebSocketOptions>
  | RefusedBy<ConstructorParameters<typeof MemoryStore>[0]>
  | RefusedBy<Parameters<typeof encrypt>[2]>
  | RefusedBy<Parameters<typeof hashIds>[1]>
  | RefusedBy<Parameters<typeof toConnectStore>[1]>
  | Refused<RedisStoreOptions>
  | Refused<PostgresStoreOptions>
  | Refused<SqliteStoreOptions>
  | Refused<ConnectStoreOptions>
  | Refused<ConformanceOptions>
  | Refused<InspectorOptions>;

export const refused: [AllOptions] extends [never] ? true : AllOptions = true;

// that this would find one
export const found: Refused<{ may?: string | undefined; mayNot?: string }> = 'mayNot';
