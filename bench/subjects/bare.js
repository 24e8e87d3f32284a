// No sessions: what a request costs anyway. The app finds an object to do its work on, always the same.
module.exports = {
  create() {
    const session = {};
    return {
      middleware(req, _res, next) {
        req.session = session;
        next();
      },
    };
  },
};
