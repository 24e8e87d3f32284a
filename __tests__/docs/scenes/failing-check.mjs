import assert from 'node:assert/strict';
import session from 'steady-session';
import { conformance } from 'steady-session/conformance';

const documented = `
// <failing-check>
`;

/** Keeps each record for a second longer than it should. */
class LateStore extends session.MemoryStore {
  set(id, text, { expires, ...how }) {
    return super.set(id, text, { ...how, expires: expires + 1000 });
  }
}

const checks = new Map();
conformance({ test: (name, check) => checks.set(name, check), store: () => new LateStore() });
await assert.rejects(checks.get('expiry: a record is gone at the very millisecond that it expires'), {
  message: documented.trim(),
});
