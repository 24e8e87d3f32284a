import createMemcachedStore from 'connect-memcached';
import expressSession from 'express-session';
import { fromConnectStore } from '../../lib/adapters/connect.js';
import { conformance } from '../../lib/conformance/index.js';
import { describeWith, type RunningServer, startMemcached } from '../support/servers.js';
import { CALLBACK_STORE } from './connect-kit.js';

describeWith('memcached', 'connect-memcached keeps the contract', () => {
  const MemcachedStore = createMemcachedStore(expressSession);
  let server: RunningServer;
  const clients: { end(): void }[] = [];
  beforeAll(async () => {
    server = await startMemcached();
  });
  afterAll(async () => {
    for (const client of clients) client.end();
    await server.stop();
  });
  const store = (prefix: string) => {
    const memcached = new MemcachedStore({ hosts: [`${server.host}:${server.port}`], prefix });
    clients.push(memcached.client);
    return fromConnectStore(memcached, { ttlUnit: 1000, maxTtl: 2_592_000_000 });
  };

  conformance({
    test: test.concurrent,
    ...CALLBACK_STORE,
    ids: 'url-safe',
    valueBytes: 500_000, // memcached itself takes up to 1 MB, and this client escapes some of it
    ttlGranularity: 1200, // whole seconds, which the server counts from when it gets the command
    store: () => store('sess'),
    second: () => store('sess'),
    separate: () => store('other'),
  });
});
