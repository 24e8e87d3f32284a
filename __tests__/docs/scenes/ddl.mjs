import assert from 'node:assert/strict';
import { Pool } from 'pg';
import { PostgresStore } from 'steady-session/postgres';

const documented = `
// <ddl>
`;

assert.equal(documented.trim(), PostgresStore.ddl());
const pool = new Pool({ connectionString: process.env.DATABASE_URL });
await pool.query(documented);
const store = new PostgresStore({ pool });
assert.equal(await store.set('id', 'text', { expires: Date.now() + 60_000 }), true);
assert.equal(await store.get('id'), 'text');
store.close();
await pool.end();
