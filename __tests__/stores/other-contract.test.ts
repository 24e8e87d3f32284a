import { Pool } from 'pg';
import { createClient } from 'redis';
import session from '../../lib/index.js';
import { PostgresStore } from '../../lib/stores/postgres.js';
import { RedisStore } from '../../lib/stores/redis.js';
import { SqliteStore } from '../../lib/stores/sqlite.js';
import { openDatabase, sqliteClients } from '../support/sqlite.js';

// Code that was written for connect-redis calls its store by express-session's contract.

const pool = new Pool({ connectionString: 'postgres://nobody@127.0.0.1:1/none' });
const databases = sqliteClients().map((client) => openDatabase(client, ':memory:'));
const stores: [string, any][] = [
  ['RedisStore', new RedisStore({ client: createClient() })], // neither is ever connected: nothing is to be asked of it
  ['PostgresStore', new PostgresStore({ pool, cleanupInterval: 0 })],
  ...databases.map((database): [string, any] => ['SqliteStore', new SqliteStore({ database })]),
];
const data = { cookie: new session.Cookie({ maxAge: 60_000 }), user: 'ada' };

afterAll(async () => {
  for (const database of databases) database.close();
  await pool.end();
});

describe.each(stores)('%s', (name, store) => {
  test.each([
    ['a session and a callback', [data, () => {}], 'an object (Object) and a function'],
    ['a session', [data], 'an object (Object) and undefined'],
    ['a text and no time', ['{}', {}], 'a string and an object (Object)'],
    ['a text and a time that is none', ['{}', { expires: Number.NaN }], 'a string and an object (Object)'],
  ])('set() of %s is refused, and nothing deleted', async (_, args, given) => {
    await expect(store.set('id', ...args)).rejects.toThrow(
      new TypeError(
        `${name}: set() takes a text and { expires }; got ${given}. For sessions and callbacks, as with express-session's stores, ` +
          'use req.sessionStore, or toConnectStore(store)',
      ),
    );
  });

  test('touch() of a session is refused', async () => {
    await expect(store.touch('id', data, () => {})).rejects.toThrow(
      new TypeError(
        `${name}: touch() takes a time in epoch milliseconds; got an object (Object). For sessions and callbacks, as with ` +
          "express-session's stores, use req.sessionStore, or toConnectStore(store)",
      ),
    );
  });
});

test('by what it names instead, the same calls work', (done) => {
  const store = session.toConnectStore(new session.MemoryStore().texts);
  void store.set('id', data as never, () => {
    store.get('id', (_error, found) => {
      expect(found).toMatchObject({ user: 'ada' });
      done();
    });
  });
});
