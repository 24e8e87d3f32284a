// An ES module consumer, which loads the CommonJS face too. Prints as JSON what it found, also of the entry points that
// are its arguments.
import { createRequire } from 'node:module';
import session, { Cookie, MemoryStore, recommended, Session, Store } from 'steady-session';

const require = createRequire(import.meta.url);
const required = require('steady-session');
const entryPoints = process.argv.slice(2);

console.log(
  JSON.stringify({
    sameFunction: session === required,
    sameStore: Store === required.Store,
    storeIsBase: new MemoryStore() instanceof Store,
    named: [Cookie, MemoryStore, Session, Store].map(({ name }) => name),
    recommendedIsFrozen: Object.isFrozen(recommended),
    names: Object.fromEntries(await Promise.all(entryPoints.map(namesBothWays))),
  }),
);

/** The names that import and require() both give for the very same values. */
async function namesBothWays(entryPoint) {
  const imported = await import(entryPoint);
  const same = Object.keys(require(entryPoint)).filter(
    (name) => imported[name] === require(entryPoint)[name],
  );
  return [entryPoint, same.sort()];
}
