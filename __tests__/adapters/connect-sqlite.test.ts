import createSqliteStore from 'better-sqlite3-session-store';
import expressSession from 'express-session';
import { fromConnectStore } from '../../lib/adapters/connect.js';
import { conformance } from '../../lib/conformance/index.js';
import { describeWith } from '../support/servers.js';
import { openDatabase, sqliteClients } from '../support/sqlite.js';
import { CALLBACK_STORE } from './connect-kit.js';

describeWith('sqlite', 'better-sqlite3-session-store keeps the contract', () => {
  /** Without its clean-up, whose timer would keep the process alive for ever. */
  class SqliteStore extends (createSqliteStore(expressSession) as new (options: object) => any) {
    startInterval(): void {}
  }
  const open = (client: object): any => new SqliteStore({ client });
  const client = openDatabase(sqliteClients().at(-1)!, ':memory:');
  const store = () => fromConnectStore(open(client));

  conformance({
    test: test.concurrent,
    ...CALLBACK_STORE,
    ttlGranularity: 1001,
    store,
    second: store,
    separate: () => fromConnectStore(open(openDatabase(sqliteClients().at(-1)!, ':memory:'))),
  });
});
