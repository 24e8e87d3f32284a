import assert from 'node:assert/strict';
import { conformance } from 'steady-session/conformance';

// <map-store>

const checks = [];
conformance({ test: (name, check) => checks.push([name, check]), store: () => new MapStore() });
for (const [name, check] of checks) {
  await check().catch((cause) => assert.fail(`${name}: ${cause.message}`));
}
assert.ok(checks.length > 30);
