import { EventEmitter } from 'node:events';
import { inspect } from 'node:util';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { RedisStore } from '../../lib/stores/redis.js';
import { storeError, surviveClientErrors } from '../../lib/stores/trouble.js';
import { describeWith, type RedisServer, startRedis } from '../support/servers.js';

const ID = 'an-id-that-nobody-may-read';
const TEXT = '{"cookie":{},"secret":"of the user"}';
const FORBIDDEN = /an-id-that|of the user/;

/** All that a log might show of an error, hidden properties and causes too. */
function shown(error: unknown): string {
  return inspect(error, { depth: 20, showHidden: true });
}

async function errorOf(operation: Promise<unknown>): Promise<Error> {
  return operation.then(
    () => {
      throw new Error('it did not fail');
    },
    (error) => error,
  );
}

describeWith('redis-server', 'what a failing RedisStore shows has neither ids nor data in it', () => {
  let redis: RedisServer;
  const ends: (() => unknown)[] = [];
  beforeAll(async () => {
    redis = await startRedis();
    const admin = new Redis(redis.url);
    await admin.config('SET', 'maxmemory', '1');
    admin.disconnect();
  });
  afterEach(() => {
    for (const end of ends.splice(0)) end();
  });
  afterAll(() => redis.stop());

  const CLIENTS = {
    ioredis: async () => {
      const client = new Redis(redis.url);
      ends.push(() => client.disconnect());
      return client;
    },
    'node-redis': async () => {
      const client = createClient({ url: redis.url });
      ends.push(() => client.destroy());
      return client.connect();
    },
  };

  test.each(Object.entries(CLIENTS))('%s', async (name, connect) => {
    const client = await connect();
    const store = new RedisStore({ client });
    const expires = Date.now() + 1000;
    const failures = [store.set(ID, TEXT, { expires }), store.set(ID, TEXT, { expires, expected: null })];
    for (const failure of failures) {
      const error = await errorOf(failure);
      expect(error).toMatchObject({
        code: 'ERR_SESSION_STORE_FULL',
        message: expect.stringMatching(/OOM command not allowed/),
        cause: expect.any(Error),
      });
      expect(shown(error)).not.toMatch(FORBIDDEN);
    }
    if (name === 'ioredis') {
      const raw = await errorOf((client as Redis).set(`sess:${ID}`, TEXT));
      expect(shown(raw)).toMatch(FORBIDDEN); // the client's own error would show both
    }
  });
});

test("a server that quotes a command that it doesn't know is cut short", () => {
  const cause = new Error(`ERR unknown command 'GETEX', with args beginning with: 'sess:${ID}' \n'PX'`);
  const error = storeError('RedisStore', [], cause);

  expect(error).toMatchObject({
    code: 'ERR_SESSION_STORE_FAILED',
    message: "RedisStore: the database reported an error. (ERR unknown command 'GETEX')",
  });
});

test.each([[undefined], [null]])('a client that reports %p as its error does no harm', (error) => {
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const client = new EventEmitter();
  surviveClientErrors('A store', client);
  client.emit('error', error);

  expect(warn.mock.calls).toEqual([
    [expect.stringContaining(`listen for its errors: ${error}.`), expect.anything()],
  ]);
  warn.mockRestore();
});
