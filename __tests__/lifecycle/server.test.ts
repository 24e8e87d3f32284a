import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import session from '../../lib/index.js';
import { gate, RawClient, turn } from '../support/http.js';
import { baseOptions } from '../support/lifecycle.js';
import type { Handler } from '../support/sites.js';
import { makeStore } from '../support/test-stores.js';

/** A server that has a response which waits for its save. */
async function serveHeld() {
  const { store, data, traffic } = makeStore('text store');
  const save = traffic.hold('set');
  const sessions = session({ ...baseOptions, store });
  const server = createServer((req: any, res) => {
    sessions(req, res, () => {
      req.session.color = 'red';
      res.end('text');
    });
  }).listen(0, '127.0.0.1');
  server.keepAliveTimeout = 1; // ms: its last connection ends soon after the response, and the server with it
  await once(server, 'listening');
  const client = new RawClient((server.address() as AddressInfo).port);
  client.send('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await save.reached;
  return { server, client, save, data };
}

test.each(['close', 'closeIdleConnections', 'closeAllConnections'] as const)(
  'server.close() and %s(): a response that waits for its save is sent, and the session stored',
  async (how) => {
    const { server, client, save, data } = await serveHeld();
    const closed = once(server, 'close');
    server.close();
    server[how]();
    save.open();
    await closed;

    expect(await client.closed).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\ntext$/);
    expect(Object.values(data())).toEqual([{ color: 'red' }]);
  },
);

/** When an app that has ended its response, in a later turn than it was asked, shuts its server down. */
const moments: Record<string, (shutDown: () => void) => unknown> = {
  'in the same breath': (shutDown) => shutDown(),
  'in a microtask': (shutDown) => Promise.resolve().then(shutDown),
  'in a tick': (shutDown) => process.nextTick(shutDown),
};

const shutDowns: Record<string, (server: Server) => unknown> = {
  'close()': (server) => server.close(),
  'closeIdleConnections()': (server) => server.closeIdleConnections(),
  'closeAllConnections()': (server) => server.closeAllConnections(),
};

describe.each(Object.entries(moments))('server, %s as its response ends', (_when, at) => {
  const answer = async (sessions: Handler, shutDown: (server: Server) => unknown) => {
    const server: Server = createServer((req, res) => {
      sessions(req, res, async () => {
        await turn(); // the connection counts as idle once all of the request has been read
        res.end('text');
        at(() => shutDown(server));
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = new RawClient((server.address() as AddressInfo).port);
    client.send('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const received = await client.closed;
    server.close();
    return received.replace(/\r\n(?:Set-Cookie|Date): [^\r]*/g, '');
  };

  test.each(Object.entries(shutDowns))('%s: the response is sent first', async (_how, shutDown) => {
    const plain = await answer((_req, _res, next) => next(), shutDown);
    expect(plain).toMatch(/\r\n\r\ntext$/);
    const { store, data } = makeStore('text store');
    const sessions = session({ ...baseOptions, store });
    const changing: Handler = (req, res, next) =>
      sessions(req, res, () => {
        req.session.color = 'red';
        next();
      });
    expect(await answer(changing, shutDown)).toBe(plain);
    expect(Object.values(data())).toEqual([{ color: 'red' }]);
    expect(await answer(session({ ...baseOptions, store }), shutDown)).toBe(plain);
  });
});

test('the answer of a clientError handler comes behind the response', async () => {
  const { server, client, save } = await serveHeld();
  const told = gate();
  server.on('clientError', (_error, socket) => {
    socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    told.open();
  });
  client.send('GARBAGE\r\n\r\n');
  await told.opened;
  save.open();

  expect(await client.closed).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\ntextHTTP\/1\.1 400 /);
  server.close();
});
