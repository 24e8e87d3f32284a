import { createClient } from 'redis';
import { type RedisServer, startRedis } from './servers.js';

type RedisClient = ReturnType<typeof createClient>;

/** A server with one client for the tests of a `describeWith('redis-server')`. @returns gives the client, in a test */
export function redisClient(): () => RedisClient {
  let server: RedisServer;
  let client: RedisClient;
  beforeAll(async () => {
    server = await startRedis();
    client = createClient({ url: server.url });
    await client.connect();
  });
  afterAll(async () => {
    client.destroy();
    await server.stop();
  });
  return () => client;
}
