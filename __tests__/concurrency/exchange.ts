import { IncomingMessage, ServerResponse } from 'node:http';
import { Duplex } from 'node:stream';

/** One request and its response in this process: node:http's own objects, without a network between. */
export interface Exchange {
  readonly req: IncomingMessage & { session?: any; sessionID: string };
  readonly res: ServerResponse;
  /** Resolves when the response is over. */
  readonly over: Promise<void>;
  /** What has left so far. */
  sent(): string;
}

/** @param onFirstByte called the moment that a client could see anything of the response */
export function exchange(cookie: string | undefined, onFirstByte: () => void): Exchange {
  let sent = '';
  const socket = new Duplex({
    read() {},
    write(chunk, _encoding, done) {
      const isFirst = sent === '';
      sent += chunk;
      if (isFirst) onFirstByte();
      done();
    },
  });
  const req = new IncomingMessage(socket as never) as Exchange['req'];
  req.method = 'GET';
  req.url = '/';
  if (cookie !== undefined) req.headers.cookie = cookie;
  const res = new ServerResponse(req);
  res.assignSocket(socket as never);
  const over = new Promise<void>((resolve) => {
    res.once('finish', () => {
      process.nextTick(() => {
        res.emit('close');
        resolve();
      });
    });
  });
  return { req, res, over, sent: () => sent };
}

/** The pair `name=value` of the response's only Set-Cookie; `undefined` without one. */
export function cookieOf(response: string): string | undefined {
  return /^set-cookie: ([^;\r\n]+)/im.exec(response)?.[1];
}
