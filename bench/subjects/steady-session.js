// Ours as a drop-in: the options that express-session gets, and no others.
const { session } = require('../build.js');

module.exports = {
  create(options) {
    const store = new session.MemoryStore();
    return { store, middleware: session({ ...options, store }) };
  },
};
