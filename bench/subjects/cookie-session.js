// Keeps the session in the cookie, signed and readable. No store: nothing can be revoked, and 4 KB is the most.
const cookieSession = require('cookie-session');

module.exports = {
  fits: ({ large, options }) => !large && !options?.rolling,
  create: ({ secret }) => ({ middleware: cookieSession({ secret }) }),
};
