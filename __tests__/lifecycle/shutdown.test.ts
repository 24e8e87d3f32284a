import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import session from '../../lib/index.js';
import { RawClient } from '../support/http.js';
import { baseOptions } from '../support/lifecycle.js';
import { makeStore } from '../support/test-stores.js';

/** A server that shuts down while a response waits for its save. */
async function shutDown(how: 'close' | 'closeAllConnections') {
  const { store, data, traffic } = makeStore('text store');
  const save = traffic.hold('set');
  const sessions = session({ ...baseOptions, store });
  const server = createServer((req: any, res) => {
    sessions(req, res, () => {
      req.session.color = 'red';
      res.end('text');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new RawClient((server.address() as AddressInfo).port).get('/');
  await save.reached;
  const closed = once(server, 'close');
  server.close();
  if (how === 'closeAllConnections') server.closeAllConnections();
  save.open();
  await closed;
  return { received: await client.closed, stored: Object.values(data()) };
}

test.each(['close', 'closeAllConnections'] as const)(
  'server.%s(): a response that waits for its save is sent, and the session stored',
  async (how) => {
    const { received, stored } = await shutDown(how);

    expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\ntext$/);
    expect(stored).toEqual([{ color: 'red' }]);
  },
);
