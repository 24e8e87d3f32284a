// Ours as the README shows it: with `recommended`, whose every check is on.
const { session } = require('../build.js');

module.exports = {
  create(options) {
    const store = new session.MemoryStore();
    return { store, middleware: session({ ...session.recommended, ...options, store }) };
  },
};
