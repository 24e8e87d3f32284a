// express-session with the store that is most often recommended in place of its own.
const session = require('express-session');
const MemoryStore = require('memorystore')(session);

const DAY = 24 * 60 * 60 * 1000;

module.exports = {
  create(options) {
    const store = new MemoryStore({ checkPeriod: DAY });
    return { store, middleware: session({ ...options, store }) };
  },
};
