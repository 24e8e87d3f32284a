import { type Channel, channel, type TracingChannel, tracingChannel } from 'node:diagnostics_channel';
import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { messageOf } from './errors.js';
import { describe, didYouMean } from './option-checks.js';
import { MARK, noticeOf } from './stores/id-hash.js';
import { warnOnce } from './warnings.js';

/** What is told of one session. */
export interface SessionEvent {
  /** A short hash of the session's id: enough to follow one session through a log, useless as an id. */
  session: string;
  /** The request that it happened in. */
  req?: IncomingMessage | undefined;
  /** How long the store took, in milliseconds. */
  duration?: number | undefined;
  /** What went wrong. */
  error?: unknown;
  /** The keys concerned: what was dropped, or what was changed on both sides. */
  keys?: string[] | undefined;
}

/**
 * - `create`, `load`, `save`, `touch`, `destroy`: the store has done it;
 * - `expire`: a genuine cookie named a session that is over, or not stored any more;
 * - `rotate`: a session has got a new id because its old one had served for `rotateAfter`;
 * - `reuse`: an id that was rotated away has come again after its grace: somebody may have stolen it;
 * - `conflict`: another request stored the session between our load and our write; the changes were merged;
 * - `interrupted`: a write was dropped, since the session had been destroyed or had expired meanwhile;
 * - `error`: the store failed, or a stored record was unusable.
 */
export type SessionEventName =
  | 'create'
  | 'load'
  | 'save'
  | 'touch'
  | 'destroy'
  | 'expire'
  | 'rotate'
  | 'reuse'
  | 'conflict'
  | 'interrupted'
  | 'error';

const EVENTS: readonly SessionEventName[] = [
  'create',
  'load',
  'save',
  'touch',
  'destroy',
  'expire',
  'rotate',
  'reuse',
  'conflict',
  'interrupted',
  'error',
];

/** A misspelt event would never come. */
function checkName(method: string, name: unknown): void {
  if (EVENTS.includes(name as SessionEventName)) return;
  const meant = typeof name === 'string' ? didYouMean(name, EVENTS) : undefined;
  const hint = meant ? ` (did you mean ${JSON.stringify(meant)}?)` : '';
  const known = EVENTS.map((each) => JSON.stringify(each)).join(', ');
  throw new TypeError(`${method}(): the event must be one of ${known}${hint}; got ${describe(name)}`);
}

export type SessionEventListener = (event: SessionEvent) => void;

/** What the tracing channels tell; `duration` is there from `asyncStart` on, when the store has answered. */
type ChannelMessage = Pick<SessionEvent, 'session' | 'req' | 'duration'>;

/** What the store does, as tracing channels `steady-session:load` and so on: for OpenTelemetry and the like. */
export type StoreOperation = 'load' | 'save' | 'touch' | 'destroy';

const operationChannels: Record<StoreOperation, TracingChannel> = {
  load: tracingChannel('steady-session:load'),
  save: tracingChannel('steady-session:save'),
  touch: tracingChannel('steady-session:touch'),
  destroy: tracingChannel('steady-session:destroy'),
};

/** The events of all middlewares, as channels `steady-session:event:create` and so on. */
const eventChannels = Object.fromEntries(
  EVENTS.map((name) => [name, channel(`steady-session:event:${name}`)]),
) as Record<SessionEventName, Channel>;

/** All channels by which an operation of the store may be told of: its own, and those of the events that it may come to. */
const channelsOf: Record<StoreOperation, readonly Channel[]> = {
  load: [...partsOf('load'), eventChannels.load, eventChannels.expire, eventChannels.error],
  save: [...partsOf('save'), eventChannels.create, eventChannels.save, eventChannels.error],
  touch: [...partsOf('touch'), eventChannels.touch, eventChannels.error],
  destroy: [...partsOf('destroy'), eventChannels.destroy, eventChannels.error],
};

function partsOf(operation: StoreOperation): readonly Channel[] {
  const { start, end, asyncStart, asyncEnd, error } = operationChannels[operation];
  return [start, end, asyncStart, asyncEnd, error];
}

/** Tells listeners what happens to sessions. Costs nothing while nobody listens. */
export class SessionEvents {
  readonly #emitter = new EventEmitter();
  #observers: readonly ((name: SessionEventName, event: SessionEvent) => void)[] = [];
  /** How many events are listened to. */
  #listeners = 0;
  /** Errors of the store that listeners have been told of, when it failed. */
  readonly #told = new WeakSet<object>();

  on(name: SessionEventName, listener: SessionEventListener): void {
    checkName('on', name);
    this.#emitter.on(name, listener);
    this.#countListeners();
  }

  off(name: SessionEventName, listener: SessionEventListener): void {
    checkName('off', name);
    this.#emitter.off(name, listener);
    this.#countListeners();
  }

  #countListeners(): void {
    this.#listeners = this.#emitter.eventNames().length;
  }

  /** Tells of all events. Unlike a listener for `error`, an observer doesn't answer for errors. @returns what ends it */
  observe(observer: (name: SessionEventName, event: SessionEvent) => void): () => void {
    this.#observers = [...this.#observers, observer];
    return () => {
      this.#observers = this.#observers.filter((each) => each !== observer);
    };
  }

  /** What a listener throws is an uncaught exception of its own: no request has to wait for ever because of it. */
  emit(name: SessionEventName, id: string, details: Omit<SessionEvent, 'session'>): void {
    const isHeard = this.#emitter.listenerCount(name) > 0;
    const ownChannel = eventChannels[name];
    if (!isHeard && this.#observers.length === 0 && !ownChannel.hasSubscribers) return;
    const event: SessionEvent = { session: eventIdOf(id), ...details };
    ownChannel.publish(event); // what a subscriber throws, Node.js makes an uncaught exception of by itself
    try {
      this.#tellObservers(name, event);
      if (isHeard) this.#emitter.emit(name, event);
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
    }
  }

  /** The trouble of those who look on is not that of the session. */
  #tellObservers(name: SessionEventName, event: SessionEvent): void {
    try {
      for (const observer of this.#observers) observer(name, event);
    } catch (error) {
      warnOf(error);
    }
  }

  /** Trouble that no request can be told of goes to the `error` listeners or, if there are none, is warned of once. */
  report(id: string, req: IncomingMessage | undefined, error: unknown, warn: typeof warnOf = warnOf): void {
    if (!this.#told.has(error as object)) this.emit('error', id, { req, error });
    if (this.#emitter.listenerCount('error') === 0) warn(error);
  }

  /** Whether it is worth measuring an operation of the store. */
  isWatched(operation: StoreOperation): boolean {
    return this.#listeners > 0 || this.#observers.length > 0 || channelsOf[operation].some(isSubscribedTo);
  }

  /**
   * Calls `run`, and tells of it when it calls back.
   * @param name the event to emit on success, by the answer; `undefined`: none
   */
  watch<T>(
    operation: StoreOperation,
    id: string,
    req: IncomingMessage,
    name: (answer: T) => SessionEventName | undefined,
    run: (done: (error?: any, answer?: any) => void) => void,
    done: (error?: any, answer?: any) => void,
  ): void {
    const message: ChannelMessage = { session: eventIdOf(id), req };
    const start = performance.now();
    let answer: any;
    const timed = (answered: typeof done) =>
      run((error, value) => {
        message.duration = performance.now() - start;
        answer = value;
        answered(error); // the channel passes on what it is given: data of a session are none of its business
      });
    const finished = (error?: any) => {
      const { duration } = message;
      const event = error ? 'error' : name(answer);
      if (event) this.emit(event, id, { req, duration, error: error ?? undefined });
      if (typeof error === 'object' && error !== null) this.#told.add(error);
      done(error, answer);
    };
    if (hasSubscribers(operation))
      operationChannels[operation].traceCallback(timed, 0, message, undefined, finished);
    else timed(finished);
  }
}

function warnOf(error: unknown): void {
  warnOnce('WARN_SESSION_ERROR', messageOf(error));
}

function isSubscribedTo({ hasSubscribers }: Channel): boolean {
  return hasSubscribers;
}

/** Older Node versions don't sum it up for us. */
function hasSubscribers(operation: StoreOperation): boolean {
  return partsOf(operation).some(isSubscribedTo);
}

/** What stands for a session's id wherever people read it; the same for the hash under which `hashIds` keeps it. */
export function eventIdOf(id: string): string {
  return Buffer.from(noticeOf(id).slice(MARK.length), 'base64url').toString('hex').slice(0, 12);
}
