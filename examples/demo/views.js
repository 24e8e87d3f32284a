'use strict';

const { CSRF_FIELD } = require('./csrf.js');
const { html } = require('./html.js');

const NAVIGATION = [
  { path: '/', label: 'Try it' },
  { path: '/session', label: 'My session' },
  { path: '/live', label: 'Live' },
];

/** What can be done with a session, beside what the session is. */
function home(page) {
  const content = html`
    <header class="intro">
      <h1>A session you can watch</h1>
      <p>Click through the cards; the panel shows what the server keeps for you, and for how long.</p>
    </header>
    <div class="columns">
      <div class="cards">
        ${visitsCard(page)} ${page.user ? signedInCard(page) : signInCard(page)} ${messageCard(page)}
        ${clearCard(page)}
      </div>
      ${sessionPanel(page)}
    </div>`;
  return layout({ ...page, title: 'Try it', path: '/', content });
}

/** The session alone. */
function session(page) {
  const content = html`
    <header class="intro">
      <h1>My session</h1>
      <p>This page only looks: your visits stand still. As every request does, it started the lifetime anew.</p>
    </header>
    ${sessionPanel(page)}`;
  return layout({ ...page, title: 'My session', path: '/session', content });
}

/** Watches the session over a WebSocket; public/live.js does it. */
function live(page) {
  const content = html`
    <header class="intro">
      <h1>Live</h1>
      <p>This page has a WebSocket with your session. Open it in a second window, and end the session in one of them.</p>
    </header>
    <section class="card">
      <h2>This window's WebSocket</h2>
      <p id="live-status" role="status">Connecting...</p>
      <p class="hint">Windows of your session that are connected: <strong id="live-windows">0</strong></p>
      <form method="post" action="/logout">${csrfField(page.csrf)} <button>Sign out</button></form>
      <form method="post" action="/clear">${csrfField(page.csrf)} <button class="danger">Clear the session</button></form>
    </section>`;
  return layout({ ...page, title: 'Live', path: '/live', script: '/live.js', content });
}

function noSession() {
  const content = html`
    <section class="card notice">
      <h1>No session yet</h1>
      <p>There is nothing to remember about you, so nothing is stored and no cookie was sent.</p>
      <p><a class="button" href="/">Start a session</a></p>
    </section>`;
  return layout({ title: 'My session', path: '/session', content });
}

/** Where clearing leads to: shows what the browser sent, as the proof that nothing is left. */
function cleared({ hasSession, sentCookie, cookie }) {
  const content = html`
    <section class="card notice">
      <h1>${hasSession ? 'You have a session' : 'Your session is gone'}</h1>
      <p>
        ${
          hasSession
            ? 'It was started after the last one was cleared.'
            : 'The store has deleted its record, and your browser was told to drop the cookie.'
        }
      </p>
      <p>
        The cookie <code>${cookie}</code> that your browser sent with this request:
        <strong id="sent-cookie">${sentCookie ? 'still there' : 'none'}</strong>
      </p>
      <p><a class="button" href="/">${hasSession ? 'Back to it' : 'Start a new session'}</a></p>
    </section>`;
  return layout({ title: 'Session cleared', content });
}

function problem(title, text) {
  const content = html`
    <section class="card notice">
      <h1>${title}</h1>
      <p>${text}</p>
      <p><a class="button" href="/">Back to the demo</a></p>
    </section>`;
  return layout({ title, content });
}

function visitsCard({ visits }) {
  return html`
    <section class="card visits">
      <div class="about">
        <h2>Visits</h2>
        <p class="hint">Counted in your session alone. Another browser starts at 1.</p>
      </div>
      <p class="count"><strong id="visits">${visits}</strong> ${visits === 1 ? 'visit' : 'visits'}</p>
      <p><a class="button" href="/">Visit again</a></p>
    </section>`;
}

function signInCard({ csrf }) {
  return html`
    <section class="card">
      <h2>Sign in</h2>
      <p class="hint">Your session gets a new id and keeps its visits. Whoever knew the old id knows nothing now.</p>
      <form method="post" action="/login">
        ${csrfField(csrf)}
        <label for="name">Your name <small>(any will do, there is no password)</small></label>
        <div class="field">
          <input id="name" name="name" required maxlength="40" autocomplete="nickname" placeholder="Ada" />
          <button>Sign in</button>
        </div>
      </form>
    </section>`;
}

function signedInCard({ csrf, user }) {
  return html`
    <section class="card">
      <h2>Signed in</h2>
      <p>
        as <strong id="user">${user.name}</strong>
        since <time datetime="${user.since}">${user.since.slice(11, 19)} UTC</time>
      </p>
      <p class="hint">Signing out destroys this session, on every tab, and gives you an empty one.</p>
      <form method="post" action="/logout">
        ${csrfField(csrf)}
        <button>Sign out</button>
      </form>
    </section>`;
}

function messageCard({ csrf }) {
  return html`
    <section class="card">
      <h2>Leave a message</h2>
      <p class="hint">
        It is kept in the session over a redirect and shown once. The redirect leaves only when the session is
        saved, so the next page never misses it.
      </p>
      <form method="post" action="/message">
        ${csrfField(csrf)}
        <label for="text">Message to the next page</label>
        <div class="field">
          <input id="text" name="text" required maxlength="200" autocomplete="off" placeholder="Hello from before" />
          <button>Send</button>
        </div>
      </form>
    </section>`;
}

function clearCard({ csrf }) {
  return html`
    <section class="card">
      <h2>Clear my session</h2>
      <p class="hint">Deletes the stored record and expires the cookie in your browser.</p>
      <form method="post" action="/clear">
        ${csrfField(csrf)}
        <button class="danger">Clear my session</button>
      </form>
    </section>`;
}

function csrfField(token) {
  return html`<input type="hidden" name="${CSRF_FIELD}" value="${token}" />`;
}

function sessionPanel({ id, cookieName, cookie, remaining, lifetime, json }) {
  return html`
    <aside class="card panel" aria-labelledby="panel-title">
      <h2 id="panel-title">Your session now</h2>
      ${countdown(remaining, lifetime)}
      <dl>
        <div><dt>Id, as a fingerprint</dt><dd><code id="fingerprint">${id}</code></dd></div>
        <div><dt>Cookie</dt><dd><code>${cookieName}</code></dd></div>
        <div><dt>HttpOnly</dt><dd>${cookie.httpOnly ? 'yes: scripts can’t read it' : 'no'}</dd></div>
        <div><dt>SameSite</dt><dd>${cookie.sameSite || 'not set'}</dd></div>
        <div><dt>Secure</dt><dd>${cookie.secure ? 'yes' : 'no: this is plain http'}</dd></div>
      </dl>
      <h3 id="json-title">What the store keeps</h3>
      <pre id="json" tabindex="0" role="region" aria-labelledby="json-title"><code>${json}</code></pre>
    </aside>`;
}

/** public/countdown.js finds this by its data attributes and takes over from the text sent. */
function countdown(remaining, lifetime) {
  return html`
    <div class="countdown" data-remaining="${remaining}">
      <p><span class="clock" role="timer">${minutes(remaining)}</span> left, then it expires by itself</p>
      <progress max="${lifetime}" value="${remaining}" aria-label="Remaining lifetime"></progress>
      <p class="expired" role="status"></p>
    </div>`;
}

function minutes(milliseconds) {
  const seconds = Math.ceil(milliseconds / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

function layout({ title, path, user, flash, script, content }) {
  const page = html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>${title} · steady-session demo</title>
    <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="/style.css" />
    <script type="module" src="/countdown.js"></script>
    ${script && html`<script type="module" src="${script}"></script>`}
  </head>
  <body>
    <a class="skip" href="#content">Skip to content</a>
    <header class="bar">
      <a class="brand" href="/"><img src="/favicon.svg" alt="" width="28" height="28" />steady-session</a>
      <nav aria-label="Pages">${NAVIGATION.map((item) => navigationLink(item, path))}</nav>
      ${user && html`<span class="user">${user.name}</span>`}
    </header>
    <main id="content">
      ${flash && html`<p class="flash ${flash.kind}" id="flash" role="status">${flash.text}</p>`}
      ${content}
    </main>
    <footer>Sessions of this demo last 5 minutes from your last request and live in memory only.</footer>
  </body>
</html>
`;
  return page.toString();
}

function navigationLink({ path, label }, currentPath) {
  return html`<a href="${path}" ${path === currentPath && html`aria-current="page"`}>${label}</a>`;
}

module.exports = { home, session, live, noSession, cleared, problem };
