'use strict';

const crypto = require('node:crypto');

/*
 * The synchronizer token pattern (OWASP Cross-Site Request Forgery Prevention Cheat Sheet): a random token is
 * kept in the session and put in every form. Another site can make the browser send our cookie, but it can't
 * read our pages, so it doesn't know the token.
 */

const FIELD = '_csrf';
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** The session's token for forms; made when first asked for, so that a page without forms starts no session. */
function csrfToken(session) {
  session.csrf ??= crypto.randomBytes(32).toString('base64url');
  return session.csrf;
}

/** Middleware: refuses a request that may change something and doesn't carry its session's token. */
function requireCsrfToken(req, _res, next) {
  if (SAFE_METHODS.has(req.method) || sameToken(req.body?.[FIELD], req.session.csrf)) return next();
  const error = new Error('This form is out of date. Go back, reload the page and send it again.');
  error.status = 403;
  next(error);
}

function sameToken(given, expected) {
  if (typeof given !== 'string' || typeof expected !== 'string') return false;
  const a = Buffer.from(given);
  const b = Buffer.from(expected);
  return a.length === b.length && crypto.timingSafeEqual(a, b);
}

module.exports = { CSRF_FIELD: FIELD, csrfToken, requireCsrfToken };
