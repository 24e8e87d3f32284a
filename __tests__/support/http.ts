import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { type ClientHttp2Stream, connect as connectHttp2, constants } from 'node:http2';
import { connect, type Socket } from 'node:net';

/** A door that a test opens when it has seen what it wanted to see. */
export interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

export function gate(): Gate {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** Lets everything run that is due in this turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Speaks to a server byte by byte, and keeps all bytes that come back. */
export class RawClient {
  readonly #socket: Socket;
  #received = '';
  /** How many pieces the bytes came in. */
  pieces = 0;
  #watchers: (() => void)[] = [];
  #ended = false;
  /** All bytes, when the server has closed the connection, in order or not. */
  readonly closed: Promise<string>;

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (text: string) => {
      this.#received += text;
      this.pieces++;
      this.#wake();
    });
    this.#socket.on('error', () => {}); // a connection that is cut off is what some tests are about
    this.closed = new Promise((resolve) => {
      this.#socket.on('close', () => {
        this.#ended = true;
        this.#wake();
        resolve(this.#received);
      });
    });
  }

  /** What has come so far, one character for each byte. */
  get received(): string {
    return this.#received;
  }

  send(text: string): this {
    this.#socket.write(text, 'latin1');
    return this;
  }

  /** Asks for a page over a connection that is closed after it. */
  get(path: string, headers: Record<string, string> = {}): this {
    const lines = Object.entries({ Host: 'localhost', Connection: 'close', ...headers });
    return this.send(
      `GET ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
    );
  }

  /** Waits until `text` has come. Rejects if the connection ends without it. */
  until(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const watch = () => {
        if (this.#received.includes(text)) resolve(this.#received);
        else if (this.#ended)
          reject(new Error(`the connection ended without ${JSON.stringify(text)}: ${this.#received}`));
        else this.#watchers.push(watch);
      };
      watch();
    });
  }

  leave(): void {
    this.#socket.destroy();
  }

  #wake(): void {
    for (const watch of this.#watchers.splice(0)) watch();
  }
}

export interface Head {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  setCookie: string[];
}

export interface Answer extends Head {
  body: string;
}

/** A request under way. */
export interface Exchange {
  /** When the headers have come. */
  head: Promise<Head>;
  /** When all has come. Rejects if the response is cut off. */
  answer: Promise<Answer>;
  /** Gives up: the connection is cut. */
  leave(): void;
}

export interface RequestOptions {
  method?: string;
  headers?: Record<string, string>;
}

interface StoredCookie {
  value: string;
  path: string;
}

/** A client that keeps cookies as a browser does, from the moment when it sees the headers. */
export class Browser {
  readonly #site: { port: number; http2: boolean };
  readonly #cookies = new Map<string, StoredCookie>();

  constructor(site: { port: number; http2: boolean }) {
    this.#site = site;
  }

  /** The cookies that a request for `path` carries. */
  cookieHeader(path: string): string {
    return [...this.#cookies]
      .filter(([, cookie]) => pathMatches(path, cookie.path))
      .map(([name, { value }]) => `${name}=${value}`)
      .join('; ');
  }

  cookie(name: string): string | undefined {
    return this.#cookies.get(name)?.value;
  }

  get(path: string, options: RequestOptions = {}): Promise<Answer> {
    return this.start(path, options).answer;
  }

  start(path: string, { method = 'GET', headers = {} }: RequestOptions = {}): Exchange {
    const cookie = this.cookieHeader(path);
    const all = cookie ? { cookie, ...headers } : headers;
    const exchange = this.#site.http2 ? startHttp2 : startHttp1;
    return exchange(this.#site.port, method, path, all, (head) => this.#keep(head.setCookie));
  }

  #keep(lines: string[]): void {
    for (const line of lines) {
      const [pair = '', ...attributes] = line.split('; ');
      const equals = pair.indexOf('=');
      const name = pair.slice(0, equals);
      const expires = attribute(attributes, 'Expires');
      if (expires !== undefined && Date.parse(expires) <= Date.now()) this.#cookies.delete(name);
      else
        this.#cookies.set(name, {
          value: pair.slice(equals + 1),
          path: attribute(attributes, 'Path') ?? '/',
        });
    }
  }
}

function attribute(attributes: string[], name: string): string | undefined {
  return attributes.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** RFC 6265 section 5.1.4. */
function pathMatches(path: string, cookiePath: string): boolean {
  if (path === cookiePath) return true;
  return path.startsWith(cookiePath.endsWith('/') ? cookiePath : `${cookiePath}/`);
}

type StartRequest = (
  port: number,
  method: string,
  path: string,
  headers: Record<string, string>,
  onHead: (head: Head) => void,
) => Exchange;

const startHttp1: StartRequest = (port, method, path, headers, onHead) => {
  const request: ClientRequest = requestHttp({
    host: '127.0.0.1',
    port,
    method,
    path,
    headers,
    agent: false,
  });
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    request.on('response', resolve);
    request.on('error', reject);
  });
  const head = response.then((message) => {
    const found = makeHead(message.statusCode!, message.headers);
    onHead(found);
    return found;
  });
  const answer = head.then(async (found) => {
    let body = '';
    for await (const chunk of await response) body += chunk;
    return { ...found, body };
  });
  request.end();
  return exchangeOf(head, answer, () => request.destroy());
};

const startHttp2: StartRequest = (port, method, path, headers, onHead) => {
  const client = connectHttp2(`http://127.0.0.1:${port}`);
  const stream: ClientHttp2Stream = client.request({ ':method': method, ':path': path, ...headers });
  stream.setEncoding('utf8');
  let body = '';
  stream.on('data', (text: string) => {
    body += text;
  });
  const head = new Promise<Head>((resolve, reject) => {
    stream.on('response', (fields) => {
      const { ':status': status, ...others } = fields;
      const found = makeHead(Number(status), others as Head['headers']);
      onHead(found);
      resolve(found);
    });
    stream.on('error', reject);
    client.on('error', reject);
    stream.on('close', () => reject(new Error('the stream was closed without a response')));
  });
  const answer = new Promise<Answer>((resolve, reject) => {
    stream.on('end', () => head.then((found) => resolve({ ...found, body }), reject));
    stream.on('error', reject);
    stream.on('close', () => {
      client.destroy();
      if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) reject(new Error(`stream reset: ${stream.rstCode}`));
    });
    head.catch(reject);
  });
  stream.end();
  return exchangeOf(head, answer, () => client.destroy());
};

/** Rejections that a test doesn't ask for are no failure. */
function exchangeOf(head: Promise<Head>, answer: Promise<Answer>, leave: () => void): Exchange {
  head.catch(() => {});
  answer.catch(() => {});
  return { head, answer, leave };
}

function makeHead(status: number, headers: Head['headers']): Head {
  const setCookie = headers['set-cookie'];
  return { status, headers, setCookie: setCookie === undefined ? [] : [setCookie].flat() };
}
