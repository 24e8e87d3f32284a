// Keeps the session in the cookie, encrypted. No store: nothing can be revoked, and 4 KB is the most.
const { getIronSession } = require('iron-session');
const { BODY } = require('./app.js');

module.exports = {
  fits: ({ large, options }) => !large && !options?.rolling,
  /** A request takes ten times as long as the others', so a tenth of them has to do. */
  slow: true,
  listener(work, { secret }) {
    const settings = { password: secret, cookieName: 'iron' };
    return async (req, res) => {
      const session = await getIronSession(req, res, settings);
      if (work.visit?.(session)) await session.save();
      res.end(BODY);
    };
  },
};
