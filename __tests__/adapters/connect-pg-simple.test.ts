import createPgStore from 'connect-pg-simple';
import expressSession from 'express-session';
import { Pool } from 'pg';
import { fromConnectStore } from '../../lib/adapters/connect.js';
import { conformance } from '../../lib/conformance/index.js';
import { describeWith, type PostgresServer, startPostgres } from '../support/servers.js';
import { CALLBACK_STORE } from './connect-kit.js';

describeWith('postgres', 'connect-pg-simple keeps the contract', () => {
  const PgStore = createPgStore(expressSession);
  let server: PostgresServer;
  let pool: Pool;
  beforeAll(async () => {
    server = await startPostgres();
    pool = new Pool({ connectionString: server.connectionString });
    await pool.query('CREATE SCHEMA others');
    for (const schemaName of ['public', 'others']) await store(schemaName).get('makes the table');
  });
  afterAll(async () => {
    await pool.end();
    await server.stop();
  });
  const store = (schemaName: string) =>
    fromConnectStore(
      new PgStore({ pool, schemaName, createTableIfMissing: true, pruneSessionInterval: false }),
    );

  conformance({
    test: test.concurrent,
    ...CALLBACK_STORE,
    ttlGranularity: 1001,
    store: () => store('public'),
    second: () => store('public'),
    separate: () => store('others'),
  });
});
