import { hasMethods } from '../option-checks.js';

type Listener = (message: string) => void;

interface Subscription {
  readonly listener: Listener;
  /** While the client is connected. */
  subscriber?: PubSubClient | undefined;
}

/** What is used of a client for pub/sub, beyond its commands: node-redis listens by callback, ioredis by event. */
interface PubSubClient {
  duplicate(...overrides: object[]): PubSubClient;
  /** Says ioredis' `Cluster` of itself. */
  readonly isCluster?: boolean;
  publish(channel: string, message: string): Promise<unknown>;
  subscribe(channel: string, listener?: Listener): Promise<unknown>;
  on(event: string, listener: (...args: any[]) => void): unknown;
  connect?(): Promise<unknown>;
  destroy?(): void;
  disconnect?(): void;
}

/** Short messages between all processes that use one Redis server, by pub/sub. */
export class RedisNotices {
  readonly #client: PubSubClient;
  readonly #channel: string;
  readonly #subscriptions = new Set<Subscription>();
  #closed = false;

  /** @throws TypeError if the client lacks pub/sub */
  constructor(client: unknown, channel: string) {
    if (!hasMethods(client, 'duplicate', 'publish', 'subscribe', 'on'))
      throw new TypeError(
        'RedisStore: notify needs a client that can publish(), subscribe() and duplicate()',
      );
    this.#client = client as PubSubClient;
    this.#channel = channel;
    // ours must not keep the process alive; `disconnect` is what a cluster of node-redis calls its end
    for (const end of ['end', 'disconnect']) this.#client.on(end, () => this.#pause());
    for (const begin of ['connect', 'ready']) this.#client.on(begin, () => this.#reopen());
  }

  async publish(message: string): Promise<void> {
    await this.#client.publish(this.#channel, message);
  }

  /**
   * Listens over a connection of its own, since one that is subscribed can do little else. Where it fails, nothing is left
   * of it, so that it can be tried again; a client that has ended is listened to once it is connected again.
   */
  async listen(listener: Listener): Promise<() => void> {
    const subscription: Subscription = { listener };
    this.#subscriptions.add(subscription);
    const end = () => {
      this.#subscriptions.delete(subscription);
      endOf(subscription);
    };
    if (this.#closed) return end;
    try {
      await this.#open(subscription);
    } catch (error) {
      if (this.#closed) return end;
      end();
      throw error;
    }
    return end;
  }

  async #open(subscription: Subscription): Promise<void> {
    const subscriber = duplicateOf(this.#client);
    subscriber.on('error', ignore);
    subscription.subscriber = subscriber;
    await this.#subscribe(subscriber, subscription.listener);
  }

  async #subscribe(subscriber: PubSubClient, listener: Listener): Promise<void> {
    if (isIoRedis(subscriber)) {
      subscriber.on('message', (_channel, message) => listener(message));
      await subscriber.subscribe(this.#channel);
    } else {
      await subscriber.connect?.();
      await subscriber.subscribe(this.#channel, listener);
    }
  }

  /** For good: whatever becomes of the client. */
  close(): void {
    this.#pause();
    this.#subscriptions.clear();
  }

  #pause(): void {
    this.#closed = true;
    for (const subscription of this.#subscriptions) endOf(subscription);
  }

  /** The app has connected its client again. What was missed meanwhile, the sockets' regular look finds. */
  #reopen(): void {
    if (!this.#closed) return;
    this.#closed = false;
    for (const subscription of this.#subscriptions) this.#open(subscription).catch(() => endOf(subscription));
  }
}

function endOf(subscription: Subscription): void {
  const { subscriber } = subscription;
  subscription.subscriber = undefined;
  if (!subscriber) return;
  if (isIoRedis(subscriber)) subscriber.disconnect?.();
  else subscriber.destroy?.();
}

/**
 * Without a listener the error would end the process. The app can't listen to a client that it doesn't know, and need not:
 * a connection that is lost is made again by the client, and one that can't be had is asked for again.
 */
function ignore(): void {}

/** One of ioredis connects by itself, and has to keep the wish to subscribe until it is connected, however long that takes. */
function duplicateOf(client: PubSubClient): PubSubClient {
  if (!isIoRedis(client)) return client.duplicate();
  const patient = { enableOfflineQueue: true, maxRetriesPerRequest: null };
  return client.isCluster ? client.duplicate([], patient) : client.duplicate(patient);
}

function isIoRedis(client: PubSubClient): boolean {
  return hasMethods(client, 'defineCommand');
}
