/** What is on the wire of a connection that is kept, pipelined or old: ours is plain node:http, but for the cookie. */
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exchange } from './client.js';
import { useFrozenClock } from './clock.js';
import { listen } from './hosts.js';
import { makeRecordingStore } from './recording-store.js';
import { HOSTS } from './scenario.js';
import { type Next, ours, plain, type Request, type Subject } from './subjects.js';

useFrozenClock();

const endings: Record<string, (res: ServerResponse) => unknown> = {
  '/end': (res) => res.end('text'),
  '/empty': (res) => res.end(),
  '/length': (res) => res.setHeader('Content-Length', 4).end('text'),
  '/head': (res) => res.writeHead(201, { 'X-A': '1' }).end('text'),
  '/no-content': (res) => res.writeHead(204).end(),
  '/stream': (res) => {
    res.write('a');
    setImmediate(() => res.end('b'));
  },
  '/at-once': (res) => {
    res.write('a');
    res.write('b');
    res.end('c');
  },
  '/corked': (res) => {
    res.cork();
    res.write('a');
    res.write('b');
    res.end('c');
    res.uncork();
  },
  '/trailers': (res) => {
    res.setHeader('Trailer', 'X-Sum');
    res.write('a');
    res.addTrailers({ 'X-Sum': '1' });
    res.end();
  },
  '/close': (res) => res.setHeader('Connection', 'close').end('text'),
  '/identity': (res) => res.setHeader('Transfer-Encoding', 'identity').end('text'),
};

/** Trailers need chunks, which are for GET and HTTP/1.1. */
const paths = Object.keys(endings).filter((path) => path !== '/trailers');
const kept = paths.filter((path) => path !== '/close' && path !== '/identity');

/** Node.js 22 and 24 end the chunks of a response that is corked at its end before the corked ones; ours comes out whole. */
const framed = kept.filter((path) => path !== '/corked' || Number.parseInt(process.versions.node, 10) < 22);

function requests(version: string, paths: string[], headers = ''): string {
  return paths.map((path) => `GET ${path} HTTP/${version}\r\nHost: localhost\r\n${headers}\r\n`).join('');
}

const wires: [what: string, sent: string][] = [
  ['requests pipelined on one connection', requests('1.1', [...framed, '/trailers', '/close'])],
  ['HEAD requests on one connection', requests('1.1', [...kept, '/close']).replaceAll('GET', 'HEAD')],
  ...paths.map((path): [string, string] => [`HTTP/1.0 ${path}`, requests('1.0', [path])]),
  ...kept.map((path): [string, string] => [
    `HTTP/1.0 ${path}, kept alive`,
    requests('1.0', [path], 'Connection: keep-alive\r\n') + requests('1.0', ['/end']),
  ]),
  ['Transfer-Encoding: identity', requests('1.1', ['/identity'], 'Connection: close\r\n')],
];

describe.each(HOSTS)('on %s', (host) => {
  test.each(wires)('%s', async (_, sent) => {
    const [expected, actual] = [await answer(plain, sent), await answer(ours, sent)];
    expect(actual).toContain('\r\nSet-Cookie: connect.sid=s%3A');
    expect(actual.replace(/^Set-Cookie: connect\.sid=.*\r\n/gm, '')).toBe(expected);
  });

  async function answer(subject: Subject, sent: string): Promise<string> {
    const store = makeRecordingStore(subject, {
      kind: 'recording',
      touch: true,
      turns: 2,
      missing: 'undefined',
    });
    const server = await listen(host, {
      before: [],
      sessions: [subject({ secret: 'x', resave: false, saveUninitialized: true, store })],
      mountAt: '/',
      trustProxy: false,
      handler: (req: Request, res: ServerResponse, _next: Next) => endings[req.url!]!(res),
      onError: (error) => {
        throw error;
      },
    });
    const received = await exchange((server.address() as AddressInfo).port, sent);
    server.close();
    return received.replace(/^Date: .*$/gm, 'Date:');
  }
});
