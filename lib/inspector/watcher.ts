import type { ServerResponse } from 'node:http';
import type { AppRequest } from '../express-types.js';

/** How much may wait for a page that does not take it, in bytes. The page then comes again, and gets the latest. */
const MOST_WAITING = 4 * 1024 * 1024;

/** How soon the browser asks again when the stream has ended, in milliseconds. */
const RETRY = 1000;

/** An open page, as a stream of server-sent events (WHATWG HTML, section 9.2). */
export class Watcher {
  readonly req: AppRequest;
  readonly #res: ServerResponse;
  /** Whether the guard is being asked again. */
  checking = false;
  #ended = false;
  #isSilent = false;
  #hasMissed = false;

  constructor(req: AppRequest, res: ServerResponse) {
    this.req = req;
    this.#res = res;
    res.on('error', () => {}); // a page that has gone is no trouble
    res.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store, no-transform', // compression would hold events back
      'X-Accel-Buffering': 'no', // and so would nginx
    });
    this.#write(`retry: ${RETRY}\n\n`);
  }

  /** Until it is known whether it may still see what happens, it sees nothing. */
  silence(): void {
    this.#isSilent = true;
  }

  /** A page that has missed something comes again, and gets the latest. */
  speak(): void {
    this.#isSilent = false;
    if (this.#hasMissed) this.end();
  }

  send(name: string, message: object): void {
    if (this.#isSilent) {
      this.#hasMissed = true;
      return;
    }
    if (this.#res.writableLength > MOST_WAITING) this.#res.destroy();
    this.#write(`event: ${name}\ndata: ${JSON.stringify(message)}\n\n`);
  }

  /** A comment: it keeps proxies from giving the connection up. */
  beat(): void {
    this.#write(':\n\n');
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#res.end();
  }

  #write(text: string): void {
    if (!this.#ended && !this.#res.destroyed) this.#res.write(text);
  }
}
