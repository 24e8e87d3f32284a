// An ES module consumer, which loads the CommonJS face too. Prints as JSON what it found.
import { createRequire } from 'node:module';
import session, { Cookie, MemoryStore, recommended, Session, Store } from 'steady-session';

const require = createRequire(import.meta.url);
const required = require('steady-session');
const { exports } = require('steady-session/package.json');
const entryPoints = Object.keys(exports)
  .filter((path) => path !== './package.json')
  .map((path) => path.replace('.', 'steady-session'));

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
