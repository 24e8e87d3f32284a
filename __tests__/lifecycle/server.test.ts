import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import session from '../../lib/index.js';
import { gate, RawClient } from '../support/http.js';
import { baseOptions } from '../support/lifecycle.js';
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

test.each(['closeIdleConnections', 'closeAllConnections'] as const)(
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
