'use strict';

const crypto = require('node:crypto');
const path = require('node:path');
const express = require('express');
const { csrfToken, requireCsrfToken } = require('./csrf.js');
const views = require('./views.js');

const COOKIE_NAME = 'demo.sid';
const LIFETIME = 5 * 60 * 1000; // ms; short, so that the countdown is worth watching
const LONGEST_NAME = 40;
const LONGEST_MESSAGE = 200;

/**
 * The demo as an Express app.
 *
 * @param {object} options
 * @param {Function} options.session the middleware factory: `require('steady-session')`
 * @param {string} options.secret signs the cookies
 * @param {object} [options.store] where sessions are kept; the middleware's memory store by default
 * @param {Function} [options.inspector] of `require('steady-session/inspector')`: adds its page, at /inspector
 */
function createApp({ session, secret, store, inspector }) {
  const app = express();
  app.disable('x-powered-by');
  app.use(securityHeaders);
  // Before the sessions: style sheets and scripts need none, so they cost no look into the store.
  app.use(express.static(path.join(__dirname, 'public')));
  app.use(neverCached);

  const sessions = session({
    ...session.recommended,
    secret,
    store,
    name: COOKIE_NAME,
    rolling: true, // every request starts the lifetime anew
    owner: (data) => data.user?.name,
    cookie: { ...session.recommended.cookie, maxAge: LIFETIME },
  });
  app.use(sessions);
  app.set('sessions', sessions); // for the WebSockets, which don't come by the app
  // Before what checks forms: its requests have a token of their own.
  if (inspector) app.use('/inspector', inspector(sessions, { guard: isAtThisMachine }));
  app.use(express.urlencoded({ extended: false, limit: '10kb' }));
  app.use(requireCsrfToken);

  app.get('/', showHome);
  app.get('/session', showSession);
  app.get('/live', showLive);
  app.post('/login', login);
  app.post('/logout', logout);
  app.post('/message', leaveMessage);
  app.post('/clear', clearSession);
  app.get('/cleared', showCleared);

  app.use(showNotFound);
  app.use(showError);
  return app;
}

/**
 * Whoever sits here may inspect: an app with real users asks for an administrator. The host is looked at, since a page of
 * another site could give its own name this machine's address (DNS rebinding).
 */
function isAtThisMachine(req) {
  return (
    ['localhost', '127.0.0.1'].includes(req.hostname) &&
    /^(::ffff:)?127\.|^::1$/.test(req.socket.remoteAddress)
  );
}

function showHome(req, res) {
  req.session.visits = (req.session.visits ?? 0) + 1;
  sendPage(req, res, views.home);
}

/** Looks and changes nothing: whoever has no session gets none here. */
function showSession(req, res) {
  if (isEmpty(req.session)) return res.send(views.noSession());
  sendPage(req, res, views.session);
}

/** A page whose WebSocket lives as long as the session does. */
function showLive(req, res) {
  res.set('Content-Security-Policy', `${res.get('Content-Security-Policy')}; connect-src 'self'`);
  sendPage(req, res, views.live);
}

async function login(req, res) {
  const name = textField(req.body.name, LONGEST_NAME);
  if (!name)
    return redirectHome(req, res, 'problem', `Please give a name of 1 to ${LONGEST_NAME} characters.`);

  // A new id at every change of privilege: whoever knew the old one (session fixation) is left outside.
  const { id: oldId, visits } = req.session;
  await req.session.regenerate();
  req.session.visits = visits;
  req.session.user = { name, since: new Date().toISOString() };
  const ids = `${fingerprint(oldId)} became ${fingerprint(req.session.id)}`;
  redirectHome(req, res, 'success', `Welcome, ${name}. Your session got a new id: ${ids}.`);
}

async function logout(req, res) {
  const name = req.session.user?.name;
  await req.session.regenerate();
  redirectHome(req, res, 'success', `Goodbye${name ? `, ${name}` : ''}. The session you had is destroyed.`);
}

function leaveMessage(req, res) {
  const text = textField(req.body.text, LONGEST_MESSAGE);
  if (!text) {
    return redirectHome(req, res, 'problem', `Please write a message of 1 to ${LONGEST_MESSAGE} characters.`);
  }
  redirectHome(req, res, 'success', `You wrote: ${text}`);
}

function clearSession(req, res) {
  req.session.clear();
  res.redirect('/cleared');
}

/** Leaves the session alone: a form's token or a message would start a new one at once. */
function showCleared(req, res) {
  res.send(
    views.cleared({ hasSession: !isEmpty(req.session), sentCookie: sentCookie(req), cookie: COOKIE_NAME }),
  );
}

function showNotFound(_req, res) {
  res.status(404).send(views.problem('Not found', 'There is no such page in this demo.'));
}

// Express tells an error handler by its four parameters.
function showError(error, _req, res, next) {
  if (res.headersSent) return next(error);
  const status = error.status ?? 500;
  if (status >= 500) console.error(error);
  const text = status < 500 ? error.message : 'Something went wrong here. The terminal says more.';
  res.status(status).send(views.problem(status === 403 ? 'Refused' : 'That did not work', text));
}

/** Stores a message that the next page shows once, and goes there. */
function redirectHome(req, res, kind, text) {
  req.session.flash = { kind, text };
  res.redirect('/');
}

/** Sends a page that shows the session as it'll be stored when this request is done. */
function sendPage(req, res, view) {
  const { flash } = req.session;
  delete req.session.flash;
  const csrf = csrfToken(req.session);
  // Rolling would start the lifetime anew at the end of the request; the page shows it already.
  req.session.touch();

  const { cookie, user, visits } = req.session;
  res.send(
    view({
      flash,
      csrf,
      user,
      visits,
      id: fingerprint(req.session.id),
      cookieName: COOKIE_NAME,
      cookie: cookie.toJSON(),
      remaining: cookie.maxAge,
      lifetime: LIFETIME,
      json: JSON.stringify(req.session, null, 2),
    }),
  );
}

/** Enough of an id to see it change. The id itself is a key to the session and isn't for showing. */
function fingerprint(id) {
  return crypto.createHash('sha256').update(id).digest('hex').slice(0, 8);
}

function isEmpty(session) {
  return Object.keys(session).every((key) => key === 'cookie');
}

function sentCookie(req) {
  const cookies = (req.headers.cookie ?? '').split(';');
  return cookies.some((cookie) => cookie.trim().startsWith(`${COOKIE_NAME}=`));
}

/** A form's field, trimmed; undefined unless it is one text of 1 to `longest` characters (sent twice, it's an array). */
function textField(value, longest) {
  const text = typeof value === 'string' ? value.trim() : '';
  return text.length >= 1 && text.length <= longest ? text : undefined;
}

function securityHeaders(_req, res, next) {
  res.set({
    'Content-Security-Policy':
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
      "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'same-origin',
  });
  next();
}

/** A page that shows a session is for one person and one moment: no cache keeps it. */
function neverCached(_req, res, next) {
  res.set('Cache-Control', 'no-store');
  next();
}

module.exports = { createApp };
