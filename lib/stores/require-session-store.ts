import { describeWithoutText, hasMethods } from '../option-checks.js';
import type { Store } from './connect-store.js';
import { isOnlyCallbackStore } from './contract.js';
import type { SessionStore } from './store.js';

/**
 * Refuses what `hashIds` and `encrypt` can't go around, at the start rather than at the first request. Who mixes up the
 * arguments gives a key as the store, so the message shows no texts.
 * @throws TypeError that names the first missing method, or says how to wrap the store first
 */
export function requireSessionStore(wrapper: string, store: unknown): void {
  if (hasMethods(store, 'get', 'set', 'destroy') && isOnlyCallbackStore(store as Store | SessionStore)) {
    throw new TypeError(
      `${wrapper}() needs a session store of this package's kind, and this one was made for express-session; ` +
        `wrap it first: ${wrapper}(fromConnectStore(store))`,
    );
  }
  const methods = ['get', 'set', 'touch', 'destroy'];
  const missing = methods.find((method) => !hasMethods(store, method));
  if (missing === undefined) return;
  const hint = typeof store === 'function' ? '; pass an instance of it: `new ...`' : '';
  throw new TypeError(
    `${wrapper}() needs a session store, with the methods ${methods.join('(), ')}(), but it has no ${missing}(); ` +
      `got ${describeWithoutText(store)}${hint}`,
  );
}
