import type { Trouble } from './trouble.js';

/** Options of connect-pg-simple, and where they went. */
export const ELSEWHERE: Readonly<Record<string, string>> = {
  tableName: 'it is table',
  schemaName: 'it is part of table: "schema.table"',
  createTableIfMissing: 'it is createTable',
  pruneSessionInterval: 'it is cleanupInterval, in milliseconds',
  connectionString: 'it is pool: new Pool({ connectionString })',
  conString: 'it is pool: new Pool({ connectionString })',
  conObject: 'it is pool: new Pool(...)',
  ttl: 'set ttl or cookie.maxAge of session() instead',
  disableTouch: 'set touchAfter of session() instead',
};

/** Whether an error says that the table or one of its columns is missing, so that what was known of it no longer holds. */
export function isOtherTable(error: unknown): boolean {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return code === '42P01' || code === '42703';
}

/** What can be wrong with the server or the table. */
export function troublesOf(table: string, createTable: boolean): readonly Trouble[] {
  const name = JSON.stringify(table);
  const remedy = `pass createTable: true, or run what PostgresStore.ddl(${name}) gives`;
  return [
    {
      sign: /^42P01/,
      code: 'ERR_SESSION_STORE_TABLE',
      advice: createTable
        ? `the table ${name} was dropped. The next operation creates it again.`
        : `there is no table ${name} in this database. To create it, ${remedy}.`,
    },
    {
      sign: /^(42703|42P10)/,
      code: 'ERR_SESSION_STORE_TABLE',
      advice: `${name} is not a table for sessions. Choose another with the option table, and ${remedy}.`,
    },
    {
      sign: /^22P02/,
      code: 'ERR_SESSION_STORE_VALUE',
      advice:
        "the table's column sess is of type json and what was to be stored is not JSON. " +
        'For other texts, such as encrypted ones, change it: ALTER TABLE ... ALTER COLUMN sess TYPE text.',
    },
    {
      sign: /^25006/,
      code: 'ERR_SESSION_STORE_READ_ONLY',
      advice: 'the server or the connection is read-only. Connect the pool to the primary.',
    },
    {
      sign: /^(28|3D000|42501)|SASL/,
      code: 'ERR_SESSION_STORE_DENIED',
      advice:
        'the server refuses the user, the password or the database, or the user may not use the table. ' +
        "Check the pool's settings and the rights of the user.",
    },
    {
      sign: /^53[12]00/,
      code: 'ERR_SESSION_STORE_FULL',
      advice: 'the server has no disk space or memory left for a write. Free some.',
    },
    {
      sign: /^(08|57P|53300|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOST|ENET)|terminated|timeout|after calling end|not queryable/,
      code: 'ERR_SESSION_STORE_UNREACHABLE',
      advice:
        'there is no connection to the server. Check that it runs, that it has connections left and that the pool ' +
        'has not been ended; service returns when the server does.',
    },
  ];
}
