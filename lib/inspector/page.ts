import { createHash } from 'node:crypto';
import { SCRIPT } from './page-script.js';
import { STYLE } from './page-style.js';

/** The page, with a token that lets it revoke. All that it shows comes later, and is put in as text. */
export function pageWith(token: string): string {
  return `${HEAD}<body data-token="${token}">${BODY}`;
}

/** A source of the Content-Security-Policy (W3C, level 3) that stands for this very text. */
function sourceOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

const POLICY = [
  "default-src 'none'",
  `script-src ${sourceOf(SCRIPT)}`,
  `style-src ${sourceOf(STYLE)}`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'", // even our own script can make no markup of a text
  "trusted-types 'none'",
];

/** On all answers. */
export const SECURITY_HEADERS: readonly (readonly [name: string, value: string])[] = [
  ['Content-Security-Policy', POLICY.join('; ')],
  ['Cache-Control', 'no-store'],
  ['X-Content-Type-Options', 'nosniff'],
  ['Referrer-Policy', 'no-referrer'],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
];

const ICON =
  'data:image/svg+xml,' +
  encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="#0f766e"/>' +
      '<path d="M4 5.5h8M4 8h5.5M4 10.5h3" stroke="#fff" stroke-width="1.6" stroke-linecap="round"/></svg>',
  );

const HEAD = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Session inspector</title>
<link rel="icon" href="${ICON}">
<style>${STYLE}</style>
</head>
`;

const BODY = `
<header>
  <div class="title">
    <h1>Session inspector</h1>
    <p id="state" class="state" data-state="waiting" role="status">Connecting</p>
    <p id="process" class="soft"></p>
  </div>
  <label class="filter"><span>Filter</span>
    <input id="filter" type="search" placeholder="Session, owner, path or event" autocomplete="off" spellcheck="false">
  </label>
</header>
<main>
  <dl class="counts" aria-label="Since the start of the process">
    <div><dt>Sessions</dt><dd id="count-sessions">0</dd></div>
    <div><dt>Requests</dt><dd id="count-requests">0</dd></div>
    <div><dt>Conflicts</dt><dd id="count-conflict">0</dd></div>
    <div><dt>Interrupted saves</dt><dd id="count-interrupted">0</dd></div>
    <div><dt>Errors</dt><dd id="count-error">0</dd></div>
  </dl>
  <p id="notice" class="notice" role="status"></p>

  <section class="card" aria-labelledby="sessions-title">
    <div class="card-head"><h2 id="sessions-title">Live sessions</h2><p id="sessions-note" class="soft"></p></div>
    <div class="scroll" tabindex="0" role="region" aria-labelledby="sessions-title">
      <table class="sessions">
        <thead><tr>
          <th scope="col">Session</th><th scope="col">Owner</th><th scope="col">Keys</th>
          <th scope="col" class="number">Size</th><th scope="col">Created</th><th scope="col">Time left</th>
          <th scope="col"><span class="unseen">Revoke</span></th>
        </tr></thead>
        <tbody id="sessions"></tbody>
      </table>
      <p id="no-sessions" class="empty">No live sessions.</p>
    </div>
  </section>

  <section class="card" aria-labelledby="requests-title">
    <div class="card-head"><h2 id="requests-title">Requests</h2><p class="soft">What became of the session, and why</p></div>
    <div class="scroll" tabindex="0" role="region" aria-labelledby="requests-title">
      <table class="requests">
        <thead><tr>
          <th scope="col">Time</th><th scope="col">Request</th><th scope="col">Session</th>
          <th scope="col">State</th><th scope="col">Store and cookie</th>
        </tr></thead>
        <tbody id="requests"></tbody>
      </table>
      <p id="no-requests" class="empty">No requests yet.</p>
    </div>
  </section>

  <section class="card" aria-labelledby="events-title">
    <div class="card-head"><h2 id="events-title">Events</h2>
      <label class="toggle"><input id="trouble" type="checkbox"> Trouble only: conflicts, interrupted saves, reuse, errors</label>
    </div>
    <div class="scroll" tabindex="0" role="region" aria-labelledby="events-title">
      <table class="events">
        <thead><tr>
          <th scope="col">Time</th><th scope="col">Event</th><th scope="col">Session</th>
          <th scope="col">Request</th><th scope="col">Details</th><th scope="col" class="number">Store</th>
        </tr></thead>
        <tbody id="events"></tbody>
      </table>
      <p id="no-events" class="empty">No events yet.</p>
    </div>
  </section>
</main>
<dialog id="ask" aria-labelledby="ask-title" aria-describedby="ask-text">
  <h2 id="ask-title">Revoke this session?</h2>
  <p id="ask-text"></p>
  <div class="buttons"><button id="ask-no" type="button">Cancel</button><button id="ask-yes" type="button" class="danger">Revoke</button></div>
</dialog>
<noscript><p class="noscript">This page needs JavaScript.</p></noscript>
<script>${SCRIPT}</script>
</body>
</html>
`;
