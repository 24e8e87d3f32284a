/**
 * What runs in the page: plain JavaScript, as there is no build step for browsers. Whatever it shows goes in by
 * `textContent`, never as markup.
 */
export const SCRIPT: string = `'use strict';
(() => {
  const SECOND = 1000;
  const TROUBLE = new Set(['conflict', 'interrupted', 'reuse', 'error']);
  const byId = (id) => document.getElementById(id);
  const filter = byId('filter');
  const troubleOnly = byId('trouble');

  /** What the server's clock is ahead of ours, in milliseconds. */
  let ahead = 0;
  let most = { history: 200, sessions: 500 };

  /** By session, by number and by number: what is shown, and the table row that shows it. */
  const sessions = new Map();
  const requests = new Map();
  const events = new Map();

  // ---- Making elements

  function element(name, properties, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children.filter((child) => child !== undefined));
    return made;
  }

  const cell = (properties, ...children) => element('td', properties, ...children);
  const soft = (text) => element('span', { className: 'soft', textContent: text });
  const isolated = (text) => element('bdi', { textContent: text });

  function badge(kind, text) {
    const made = element('span', { className: 'badge', textContent: text });
    made.dataset.kind = kind;
    return made;
  }

  function sessionLink(session) {
    if (!session) return soft('none');
    const made = element('button', { type: 'button', className: 'hash', textContent: session });
    made.title = 'Show this session only';
    made.addEventListener('click', () => {
      filter.value = filter.value === session ? '' : session;
      applyFilter();
    });
    return made;
  }

  function timeOf(at) {
    const time = new Date(at);
    const text = time.toLocaleTimeString([], { hour12: false });
    return element('time', { dateTime: time.toISOString(), title: time.toLocaleString(), textContent: text });
  }

  function sizeOf(bytes) {
    return bytes < 1024 ? bytes + ' B' : (bytes / 1024).toFixed(1) + ' KB';
  }

  function spanOf(milliseconds) {
    const seconds = Math.ceil(milliseconds / SECOND);
    const units = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']];
    const at = units.findIndex(([size]) => seconds >= size);
    if (at === -1) return '0 s';
    const [size, name] = units[at];
    const [smaller, smallerName] = units[at + 1] || [];
    const rest = smaller ? Math.floor((seconds % size) / smaller) : 0;
    return Math.floor(seconds / size) + ' ' + name + (rest ? ' ' + rest + ' ' + smallerName : '');
  }

  // ---- Live sessions

  function sessionRow(row) {
    const left = element('span', { className: 'left-text' });
    const bar = element('progress', { max: 1000, value: 0 });
    bar.setAttribute('aria-label', 'Time left of session ' + row.session);
    const revoke = element('button', { type: 'button', className: 'revoke', textContent: 'Revoke' });
    revoke.setAttribute('aria-label', 'Revoke session ' + row.session);
    revoke.addEventListener('click', () => ask(row));
    const keys = row.keys.map((key) => element('bdi', { className: 'key', textContent: key }));
    const others = row.keyCount - row.keys.length;
    const line = element('tr', {},
      cell({}, sessionLink(row.session)),
      cell({ className: 'owner' }, row.owner === undefined ? soft('unknown') : isolated(row.owner)),
      cell({ className: 'keys' }, ...(keys.length ? keys : [soft('none')]), others > 0 ? soft('and ' + others + ' more') : undefined),
      cell({ className: 'number' }, sizeOf(row.size)),
      cell({}, row.createdAt === undefined ? soft('unknown') : timeOf(row.createdAt)),
      cell({ className: 'left' }, bar, left),
      cell({ className: 'action' }, revoke),
    );
    line.dataset.session = row.session;
    const words = [row.session, row.owner, ...row.keys].join(' ').toLowerCase();
    return { row, line, bar, left, words };
  }

  function showSession(row) {
    const shown = sessions.get(row.session);
    if (shown && JSON.stringify(shown.row) === JSON.stringify(row)) return;
    const made = sessionRow(row);
    const revokeHadFocus = shown && shown.line.querySelector('.revoke') === document.activeElement;
    if (shown) shown.line.replaceWith(made.line);
    else byId('sessions').prepend(made.line);
    sessions.set(row.session, made);
    if (revokeHadFocus) made.line.querySelector('.revoke').focus();
    tick(made);
    match(made);
    if (sessions.size > most.sessions) dropSession(byId('sessions').lastElementChild.dataset.session);
  }

  function dropSession(session) {
    const shown = sessions.get(session);
    if (!shown) return;
    shown.line.remove();
    sessions.delete(session);
  }

  function showListing({ rows, more, source, problem }) {
    const listed = new Set(rows.map(({ session }) => session));
    for (const session of [...sessions.keys()]) if (!listed.has(session)) dropSession(session);
    for (const row of [...rows].reverse()) showSession(row);
    byId('sessions-note').textContent = problem ? 'The store could not be read: ' + problem
      : source === 'process' ? 'The store cannot list its sessions: these are the ones that this process has seen lately'
      : more ? 'The first ' + rows.length + ' of the store; more exist'
      : 'All that the store has';
    count();
  }

  function tick({ row, bar, left, line }) {
    if (row.expires === undefined) {
      bar.hidden = true;
      left.textContent = 'unknown';
      left.title = 'Nobody has used it since this process began to look, and its record does not tell.';
      return;
    }
    const remaining = Math.max(0, row.expires - Date.now() - ahead);
    const share = row.lifetime > 0 ? Math.min(1, remaining / row.lifetime) : 0;
    bar.value = Math.round(share * 1000);
    bar.dataset.level = share > 0.5 ? 'high' : share > 0.2 ? 'middle' : 'low';
    left.textContent = remaining > 0 ? spanOf(remaining) : 'over';
    line.classList.toggle('over', remaining === 0);
  }

  // ---- Requests and events

  function outcome(label, made) {
    if (!made) return undefined;
    const at = made.why.indexOf(': ');
    return element('div', { className: 'outcome' },
      badge(label + '-' + made.action, made.why.slice(0, at)), element('span', { textContent: made.why.slice(at + 2) }));
  }

  function requestRow(entry) {
    const line = element('tr', {},
      cell({}, timeOf(entry.at)),
      cell({ className: 'target' }, isolated(entry.target)),
      cell({}, sessionLink(entry.session)),
      cell({}, badge('state', entry.state)),
      cell({}, outcome('store', entry.store), outcome('cookie', entry.cookie)),
    );
    const words = [entry.session, entry.target, entry.state, entry.store && entry.store.why, entry.cookie && entry.cookie.why];
    return { line, words: words.join(' ').toLowerCase() };
  }

  function eventRow(entry) {
    const details = [entry.error, entry.keys && (entry.name === 'interrupted' ? 'dropped: ' : 'also changed by another request: ') + entry.keys.join(', ')];
    const line = element('tr', {},
      cell({}, timeOf(entry.at)),
      cell({}, badge('event-' + entry.name, entry.name)),
      cell({}, sessionLink(entry.session)),
      cell({ className: 'target' }, isolated(entry.target)),
      cell({ className: 'details' }, isolated(details.filter(Boolean).join('; '))),
      cell({ className: 'number' }, entry.duration === undefined ? '' : entry.duration.toFixed(1) + ' ms'),
    );
    const words = [entry.session, entry.target, entry.name, ...details].join(' ').toLowerCase();
    return { line, words, trouble: TROUBLE.has(entry.name) };
  }

  /** Newest first; what comes again takes its own place. */
  function show(entries, shown, into, make) {
    for (const entry of entries) {
      const made = make(entry);
      const before = shown.get(entry.n);
      if (before) before.line.replaceWith(made.line);
      else into.prepend(made.line);
      shown.set(entry.n, made);
      match(made);
      const [oldest] = shown.keys();
      if (shown.size > most.history) {
        shown.get(oldest).line.remove();
        shown.delete(oldest);
      }
    }
  }

  function showNews(news) {
    show(news.requests, requests, byId('requests'), requestRow);
    show(news.events, events, byId('events'), eventRow);
    for (const session of news.gone || []) dropSession(session);
    for (const name of ['requests', 'conflict', 'interrupted', 'error']) {
      byId('count-' + name).textContent = String(news.counts[name] || 0);
    }
    count();
  }

  function count() {
    byId('count-sessions').textContent = String(sessions.size);
    for (const [name, shown] of [['sessions', sessions], ['requests', requests], ['events', events]]) {
      byId('no-' + name).hidden = [...shown.values()].some(({ line }) => !line.hidden);
    }
  }

  // ---- The filter

  function match(shown) {
    const wanted = filter.value.trim().toLowerCase();
    shown.line.hidden = !shown.words.includes(wanted) || (troubleOnly.checked && shown.trouble === false);
  }

  function applyFilter() {
    for (const all of [sessions, requests, events]) for (const shown of all.values()) match(shown);
    count();
  }

  filter.addEventListener('input', applyFilter);
  troubleOnly.addEventListener('change', applyFilter);

  // ---- Revoking

  let asked;

  function ask(row) {
    asked = row;
    byId('ask-text').replaceChildren('Session ', element('code', { textContent: row.session }),
      ...(row.owner === undefined ? [] : [' of ', isolated(row.owner)]),
      ' ends at once, for all who use it: its record is deleted, its sockets are closed. This cannot be undone.');
    byId('ask').showModal();
  }

  async function revoke({ session }) {
    const headers = { 'X-Inspector-Token': document.body.dataset.token };
    try {
      const response = await fetch('?revoke=' + session, { method: 'POST', headers });
      notice(response.ok ? 'Session ' + session + ' is revoked.' : await response.text(), response.ok);
      if (response.ok || response.status === 404) dropSession(session);
      count();
    } catch {
      notice('Not revoked: the server cannot be reached.', false);
    }
  }

  function notice(text, good) {
    byId('notice').textContent = text;
    byId('notice').dataset.kind = good ? 'good' : 'bad';
  }

  byId('ask-no').addEventListener('click', () => byId('ask').close());
  byId('ask-yes').addEventListener('click', () => {
    byId('ask').close();
    void revoke(asked);
  });

  // ---- The stream

  function state(name, text) {
    byId('state').dataset.state = name;
    byId('state').textContent = text;
  }

  /** Whoever may look no longer has nothing left to look at. */
  function clear() {
    for (const [shown, id] of [[sessions, 'sessions'], [requests, 'requests'], [events, 'events']]) {
      shown.clear();
      byId(id).replaceChildren();
    }
    byId('sessions-note').textContent = '';
    count();
  }

  const stream = new EventSource('?stream');
  const on = (name, handle) => stream.addEventListener(name, ({ data }) => handle(JSON.parse(data)));

  on('hello', (hello) => {
    ahead = hello.now - Date.now();
    most = hello;
    byId('process').textContent = 'Requests and events of process ' + hello.pid;
    for (const [shown, id] of [[requests, 'requests'], [events, 'events']]) {
      shown.clear();
      byId(id).replaceChildren();
    }
    showNews(hello);
    state('live', 'Live');
  });
  on('news', showNews);
  on('rows', ({ rows }) => {
    rows.forEach(showSession);
    count();
  });
  on('sessions', showListing);
  stream.addEventListener('error', () => {
    if (stream.readyState !== EventSource.CLOSED) return state('waiting', 'Reconnecting');
    state('ended', 'Ended: the server lets this page look no longer. Reload it to try again.');
    clear();
  });

  setInterval(() => {
    for (const shown of sessions.values()) tick(shown);
  }, SECOND);
})();
`;
