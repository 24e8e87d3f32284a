import { createRequire, isBuiltin } from 'node:module';
import type { SqliteDatabase } from '../../lib/stores/sqlite.js';

export type SqliteClient = 'node:sqlite' | 'better-sqlite3';

export function openDatabase(client: SqliteClient, file: string, { readOnly = false } = {}): SqliteDatabase {
  if (client === 'node:sqlite') return new (require(client).DatabaseSync)(file, { readOnly });
  return new (require(client))(file, { readonly: readOnly });
}

/** Those that work here: Node may be too old for its own, and the other one built for another version of Node. */
export function sqliteClients(): SqliteClient[] {
  return (['node:sqlite', 'better-sqlite3'] as const).filter((client) => {
    if (client === 'node:sqlite') return isBuiltin(client);
    try {
      openDatabase(client, ':memory:').close();
      return true;
    } catch {
      return false;
    }
  });
}

/** A program text that gives a database over `file`, for a process that has no more than this Node. */
export function databaseExpression(client: SqliteClient, file: string): string {
  const where = JSON.stringify(file);
  if (client === 'node:sqlite') return `new (require('node:sqlite').DatabaseSync)(${where})`;
  return `require(${JSON.stringify(createRequire(__filename).resolve(client))})(${where})`;
}
