import assert from 'node:assert/strict';
import session from 'steady-session';
import { conformance } from 'steady-session/conformance';

/** A database with tables that all its clients share, and which can be cut off. */
const tables = new Map();
const database = {
  connected: true,
  connect: async () => {
    database.connected = true;
  },
  disconnect: () => {
    database.connected = false;
  },
};

globalThis.MyStore = class {
  constructor({ table }) {
    if (!tables.has(table)) tables.set(table, new session.MemoryStore());
    for (const method of ['get', 'set', 'touch', 'destroy']) {
      this[method] = async (...args) => {
        if (!database.connected) throw new Error('The database is away.');
        return tables.get(table)[method](...args);
      };
    }
  }
};

const checks = [];
Object.assign(globalThis, { conformance, test: (name, check) => checks.push([name, check]) });

// <kit-options>

const concerns = new Set(checks.map(([name]) => name.split(':')[0]));
for (const concern of ['two instances', 'separate instances', 'outage']) assert.ok(concerns.has(concern));
for (const [name, check] of checks) {
  if (name.startsWith('expiry')) continue; // by whole seconds, they take their time
  await check().catch((cause) => assert.fail(`${name}: ${cause.message}`));
}
