// The app around a session middleware, the same for all: look at the session, or not, and answer.
const BODY = '{"ok":true}';

/** A request listener that runs `middleware(req, res, next)`, and then `work.visit(req.session)`, if there is one. */
function appWith(middleware, work) {
  return (req, res) =>
    middleware(req, res, (error) => {
      if (error) throw error;
      work.visit?.(req.session);
      res.end(BODY);
    });
}

module.exports = { appWith, BODY };
