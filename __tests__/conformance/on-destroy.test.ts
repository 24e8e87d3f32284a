/** The stores that tell of destroyed records, by the part of the kit that is about it. */

import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { createClient } from 'redis';
import type { TestFunction } from '../../lib/conformance/index.js';
import { conformance } from '../../lib/conformance/index.js';
import { hashIds } from '../../lib/stores/hash-ids.js';
import { PostgresStore } from '../../lib/stores/postgres.js';
import { RedisStore } from '../../lib/stores/redis.js';
import {
  describeWith,
  type PostgresServer,
  type RedisServer,
  startPostgres,
  startRedis,
} from '../support/servers.js';

const onDestroyOnly: TestFunction = (name, body, timeout) => {
  if (name.includes('onDestroy')) test(name, body, timeout);
};

describeWith('redis-server', 'RedisStore with notify', () => {
  let server: RedisServer;
  let client: ReturnType<typeof createClient>;
  let ioredis: Redis;
  beforeAll(async () => {
    server = await startRedis();
    client = createClient({ url: server.url });
    await client.connect();
    ioredis = new Redis(server.url);
  });
  afterAll(async () => {
    client.destroy();
    ioredis.disconnect();
    await server.stop();
  });
  const plain = () => new RedisStore({ client, notify: true });
  const other = () => new RedisStore({ client: ioredis, notify: true });

  conformance({ test: onDestroyOnly, store: plain, second: other });
  describe('over ioredis', () => {
    conformance({ test: onDestroyOnly, store: other, second: plain });
  });
  describe('with hashed ids', () => {
    conformance({ test: onDestroyOnly, store: () => hashIds(plain()), second: () => hashIds(other()) });
  });
});

describeWith('postgres', 'PostgresStore with notify', () => {
  let server: PostgresServer;
  let pool: Pool;
  beforeAll(async () => {
    server = await startPostgres();
    pool = new Pool({ connectionString: server.connectionString });
  });
  afterAll(async () => {
    await pool.end();
    await server.stop();
  });
  const store = () => new PostgresStore({ pool, createTable: true, notify: true });

  conformance({ test: onDestroyOnly, store, second: store });
  describe('with hashed ids', () => {
    conformance({ test: onDestroyOnly, store: () => hashIds(store()), second: () => hashIds(store()) });
  });
});
