import { Pool } from 'pg';
import { PostgresStore } from 'steady-session/postgres';

const pool = new Pool({ connectionString: process.env.DATABASE_URL });
await pool.query(PostgresStore.ddl());
await pool.query(`
// <autovacuum>
`);
await pool.end();
