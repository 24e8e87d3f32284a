// A CommonJS consumer. Prints as JSON what it found.
const session = require('steady-session');

class OwnStore extends session.Store {}
function OldStore() {
  session.Store.call(this);
}
Object.setPrototypeOf(OldStore.prototype, session.Store.prototype);

console.log(
  JSON.stringify({
    callable: typeof session,
    properties: Object.keys(session).sort(),
    storeIsBase: new session.MemoryStore() instanceof session.Store,
    subclass: new OwnStore() instanceof session.Store,
    oldSubclass: new OldStore() instanceof session.Store,
    middleware: session({
      ...session.recommended,
      secret: 'for a test only',
      store: new session.MemoryStore(),
    }).length,
  }),
);
