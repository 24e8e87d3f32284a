// The cookies that a scenario's requests bring, as Buffers, in an order that no cache can foresee.
const { randomBytes } = require('node:crypto');
const { exchange } = require('./exchange.js');
const { shuffled } = require('./statistics.js');

const SESSIONS = 1000;
const LARGE_SESSIONS = 100;
/** More than any cache of refused cookies would hold. */
const FORGED = 20_000;
/** What is sent to the app that sets no cookie. */
const UNREAD = `connect.sid=s%3A${'i'.repeat(32)}.${'s'.repeat(43)}`;

async function cookiesFor(scenario, listener, socket) {
  if (scenario.cookie === 'none') return [undefined];
  if (scenario.cookie === 'valid') {
    const count = scenario.large ? LARGE_SESSIONS : SESSIONS;
    return shuffled(await makeSessions(count, listener, socket));
  }
  const [genuine] = await makeSessions(1, listener, socket);
  return Array.from({ length: FORGED }, () => forge(genuine));
}

async function makeSessions(count, listener, socket) {
  const cookies = [];
  for (let i = 0; i < count; i++) cookies.push(await cookieOfNewSession(listener, socket));
  return cookies;
}

function cookieOfNewSession(listener, socket) {
  return new Promise((resolve) => {
    exchange(listener, socket, undefined, (res) => {
      const headers = [res.getHeader('set-cookie') ?? UNREAD].flat();
      resolve(Buffer.from(headers.map((header) => header.split(';')[0]).join('; '), 'latin1'));
    });
  });
}

/** Another id or other data under another signature, of the same form and length. */
function forge(cookie) {
  const text = cookie.toString('latin1');
  const random = randomBytes(text.length).toString('base64url');
  const forged = text.replaceAll(/%[0-9A-F]{2}|[\w-]{20,}/g, (part, at) =>
    part[0] === '%' ? part : random.slice(at, at + part.length),
  );
  return Buffer.from(forged, 'latin1');
}

module.exports = { cookiesFor };
