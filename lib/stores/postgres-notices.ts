import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { pauseAfter } from '../drivers/back-off.js';
import { hasMethods } from '../option-checks.js';
import { warnOnce } from '../warnings.js';
import { summary } from './trouble.js';

type Listener = (message: string) => void;

/** A silent connection is probed this often, in milliseconds, so that one which was cut unnoticed is found out. */
const PROBE = 10_000;

/** What is used of a `Client` of `pg`. */
interface NoticeClient {
  connect(): Promise<unknown>;
  query(text: string): Promise<unknown>;
  end(): Promise<unknown>;
  unref?(): void;
  on(event: string, listener: (...args: any[]) => void): unknown;
}

/** What is used of a `Pool` of `pg`, besides its queries: how it makes its clients. */
interface ClientPool {
  readonly Client: new (config: object) => NoticeClient & NodeJS.EventEmitter;
  readonly options: { password?: unknown };
  readonly ending?: boolean;
  on(event: 'remove', listener: () => void): unknown;
}

/** Short messages between all processes that use one database, by LISTEN and NOTIFY. */
export class PostgresNotices {
  readonly channel: string;
  readonly #pool: ClientPool;
  readonly #listening = new Set<AbortController>();
  #warned = false;

  /** @throws TypeError if the pool does not tell how it makes its clients */
  constructor(pool: unknown, table: string) {
    if (!hasMethods(pool, 'on', 'Client'))
      throw new TypeError(
        'PostgresStore: notify needs a Pool of pg, whose settings its own connection can have',
      );
    this.#pool = pool as ClientPool;
    this.channel = channelOf(table);
    this.#pool.on('remove', () => {
      if (this.#pool.ending) this.close();
    });
  }

  /**
   * Listens over a connection of its own, since one of the pool's goes from hand to hand. It is made anew as often as it
   * is lost; what is told meanwhile is not heard. Resolves when it listens for the first time.
   */
  listen(listener: Listener): Promise<() => void> {
    const stopping = new AbortController();
    this.#listening.add(stopping);
    const stop = () => {
      this.#listening.delete(stopping);
      stopping.abort();
    };
    return new Promise((resolve) => {
      void this.#keepListening(listener, () => resolve(stop), stopping.signal);
    });
  }

  close(): void {
    for (const stopping of this.#listening) stopping.abort();
    this.#listening.clear();
  }

  async #keepListening(listener: Listener, began: () => void, stopped: AbortSignal): Promise<void> {
    for (let failures = 0; !stopped.aborted; failures++) {
      const client = this.#newClient();
      const ended = once(client, 'end', { signal: stopped });
      ended.catch(() => {}); // it is looked at below, if the connection comes about
      let since = Infinity;
      try {
        await client.connect();
        client.unref?.(); // it must not keep the process alive
        client.on('notification', ({ payload }) => {
          if (!stopped.aborted) listener(payload); // the connection ends a little later
        });
        await client.query(`LISTEN "${this.channel}"`);
        since = performance.now();
        began();
        await ended;
      } catch (error) {
        if (!stopped.aborted) this.#warn(error);
      }
      if (performance.now() - since > PROBE) failures = 0; // a server that drops each connection is left alone longer
      await client.end().catch(() => {});
      await sleep(pauseAfter(failures), undefined, { ref: false, signal: stopped }).catch(() => {});
    }
    began(); // or it never will
  }

  #newClient() {
    const { Client, options } = this.#pool;
    const client = new Client({
      ...options,
      password: options.password, // which a pool keeps out of sight, and so out of the line above
      keepAlive: true,
      keepAliveInitialDelayMillis: PROBE,
    });
    client.on('error', () => {}); // the wait for its end sees it, too
    return client;
  }

  /** Once: as long as the server is away, every attempt fails, each with another text maybe. */
  #warn(error: unknown): void {
    if (this.#warned) return;
    this.#warned = true;
    warnOnce(
      'WARN_SESSION_STORE_NOTICES',
      'PostgresStore: there is no connection to hear of destroyed sessions by, which will be tried again. Until then, ' +
        `what other processes destroy is noticed within checkInterval. (${summary(error)})`,
    );
  }
}

/** The same for all that use the table, and short enough for PostgreSQL, which the name of the table need not be. */
function channelOf(table: string): string {
  return `destroyed ${createHash('sha256').update(table).digest('base64url')}`;
}
