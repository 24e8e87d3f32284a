import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** Stands between the apps and their store's server, and does what bad networks do. */
export class TcpProxy {
  /** How long each piece of the server's replies is kept back, in milliseconds. */
  replyDelay = 0;
  readonly #target: number;
  readonly #server: Server;
  readonly #connections = new Set<Socket>();

  static async before(targetPort: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  constructor(targetPort: number) {
    this.#target = targetPort;
    this.#server = createServer((client) => this.#join(client));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Breaks all connections. New ones are accepted at once. */
  cut(): void {
    for (const client of this.#connections) {
      // While a socket ends, it can't be reset: Node.js would neither close it nor ever let this process exit.
      if (client.writableEnded) client.destroy();
      else client.resetAndDestroy();
    }
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
  }

  #join(client: Socket): void {
    const server = connect(this.#target, '127.0.0.1');
    this.#connections.add(client);
    const part = () => {
      this.#connections.delete(client);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      socket.setNoDelay();
      socket.on('error', part);
      socket.on('close', part);
    }
    client.pipe(server as Duplex);
    let last: Promise<unknown> = Promise.resolve(); // no piece overtakes another
    server.on('data', (piece) => {
      last = Promise.all([last, sleep(this.replyDelay)]).then(() => client.destroyed || client.write(piece));
    });
  }
}
