// The types of an app that says what its sessions hold at the call, `session<MySession>()`, rather than by augmenting
// `SessionData` for all sessions of the program.

import type { IncomingMessage } from 'node:http';
import type { SessionHandler } from './middleware.js';
import type { SessionOptions } from './options.js';
import type { OwnedSession } from './owners.js';
import type { RegenerateOptions, Session, SessionRequest } from './session.js';

type Key<Data> = keyof Data & string;

/** `req.session` with `Data` in it. All of it may be missing: a new session is empty. */
export type TypedSession<Data extends object> = Omit<Session, keyof TypedMethods<Data>> &
  TypedMethods<Data> &
  Partial<Data>;

interface TypedMethods<Data extends object> {
  /** As {@link Session.update}. */
  update<T>(change: (data: Partial<Data>) => T | Promise<T>): Promise<T>;
  /** As {@link Session.take}. */
  take<K extends Key<Data>>(key: K): Promise<Data[K] | undefined>;
  /** As {@link Session.regenerate}. */
  regenerate(options?: TypedRegenerateOptions<Data>): Promise<void>;
  regenerate(callback: (error?: any) => void): unknown;
  regenerate(options: TypedRegenerateOptions<Data>, callback: (error?: any) => void): unknown;
}

interface TypedRegenerateOptions<Data extends object> extends RegenerateOptions {
  keep?: boolean | readonly Key<Data>[] | undefined;
}

/**
 * A request whose session holds `Data`. For a handler of Express: `(req: Request & TypedSessionRequest<MySession>, res)`;
 * behind the middleware `req.session` is there.
 */
export type TypedSessionRequest<Data extends object> = IncomingMessage &
  Pick<SessionRequest, 'sessionID' | 'sessionStore'> & { session?: TypedSession<Data> | null | undefined };

/** The options of sessions that hold `Data`. */
export interface TypedSessionOptions<Data extends object> extends Omit<SessionOptions, 'owner' | 'merge'> {
  /** As {@link SessionOptions.owner}. */
  owner?: Key<Data> | ((data: Partial<Data>) => string | number | undefined | null) | undefined;
  /** As {@link SessionOptions.merge}. */
  merge?: ((...sides: Sides<Data>) => unknown) | MergeWithoutKey<Data> | undefined;
}

/** What `merge` gets. A comparison of `key` tells the compiler of which type the values are. */
type Sides<Data extends object> = {
  [K in Key<Data>]-?: [
    base: Data[K] | undefined,
    mine: Data[K] | undefined,
    theirs: Data[K] | undefined,
    key: K,
  ];
}[Key<Data>];

/**
 * A `merge` that takes no `key`. A function of three parameters isn't assignable to one of {@link Sides}, which is a union.
 *
 * The second signature says nothing new. It keeps the compiler from reading the types of parameters off this type: of
 * two that it could read them off, it would take neither.
 */
interface MergeWithoutKey<Data extends object> {
  (base: Value<Data>, mine: Value<Data>, theirs: Value<Data>): unknown;
  <_>(base: Value<Data>, mine: Value<Data>, theirs: Value<Data>): unknown;
}

type Value<Data extends object> = Data[Key<Data>] | undefined;

/** What `session()` returns for sessions that hold `Data`. */
export interface TypedSessionHandler<Data extends object> extends SessionHandler {
  of(owner: string | number): AsyncIterable<OwnedSession & { data: Partial<Data> }>;
}
