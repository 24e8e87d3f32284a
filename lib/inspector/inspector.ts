import type { ServerResponse } from 'node:http';
import type { Core } from '../core.js';
import { asError } from '../errors.js';
import type { SessionEvent, SessionEventName } from '../events.js';
import type { AppRequest } from '../express-types.js';
import { contextOf } from '../request/request-slot.js';
import { unref } from '../timers.js';
import { Directory } from './directory.js';
import { asOfNow, isSameOrigin } from './guard.js';
import { shortHashOf } from './hash.js';
import { Journal } from './journal.js';
import type { InspectorSettings } from './options.js';
import { pageWith, SECURITY_HEADERS } from './page.js';
import { PageTokens } from './page-tokens.js';
import { toldError } from './told-error.js';
import { Watcher } from './watcher.js';

/** How many pages may be open at the same time. */
const MOST_WATCHERS = 50;

/** For how long news are collected before they are sent, in milliseconds. */
const PAUSE = 100;

/** What a page sends with a revocation. A header that no form can send: across origins, browsers ask before (CORS). */
const TOKEN_HEADER = 'x-inspector-token';

/** Serves the page, its stream of events, and revocations; tells open pages what happens. */
export class Inspector {
  readonly #core: Core;
  readonly #settings: InspectorSettings;
  readonly #journal: Journal;
  readonly #directory: Directory;
  readonly #tokens: PageTokens;
  readonly #watchers = new Set<Watcher>();
  /** Hashes of sessions to be shown anew. */
  readonly #changed = new Set<string>();
  readonly #gone = new Set<string>();
  #pause: NodeJS.Timeout | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(core: Core, settings: InspectorSettings) {
    this.#core = core;
    this.#settings = settings;
    this.#directory = new Directory(core, settings.sessions);
    this.#journal = new Journal(core, settings.history, (name, event) => this.#happened(name, event));
    this.#tokens = new PageTokens(core.settings.secrets?.[0]);
  }

  /** @returns whether the request was for the inspector: for the path that it is mounted at, and none below */
  async serve(req: AppRequest, res: ServerResponse): Promise<boolean> {
    const [path, query = ''] = (req.url ?? '').split('?', 2);
    if (path !== '' && path !== '/') return false;
    this.#journal.disown(req);
    for (const [name, value] of SECURITY_HEADERS) res.setHeader(name, value);
    const isLetIn = (await this.#settings.guard(req)) === true;
    const isStill = isLetIn && (await asOfNow(req)) !== undefined; // a guard may take its time
    if (!isStill) answer(res, 403, 'Forbidden');
    else await this.#serve(req, res, new URLSearchParams(query));
    return true;
  }

  async #serve(req: AppRequest, res: ServerResponse, query: URLSearchParams): Promise<void> {
    const revoked = query.get('revoke');
    if (revoked !== null) return this.#revoke(req, res, revoked);
    if (req.method !== 'GET' && req.method !== 'HEAD') return refuseMethod(res, 'GET, HEAD');
    if (query.has('stream')) return this.#stream(req, res);
    res.setHeader('Content-Type', 'text/html; charset=utf-8');
    res.end(pageWith(this.#tokens.issue()));
  }

  // ---- Revocation

  async #revoke(req: AppRequest, res: ServerResponse, hash: string): Promise<void> {
    if (req.method !== 'POST') return refuseMethod(res, 'POST');
    if (!isSameOrigin(req) || !this.#tokens.accepts(req.headers[TOKEN_HEADER]))
      return answer(res, 403, 'Not revoked: this page is out of date. Reload it, and try again.');
    try {
      const id = await this.#directory.find(hash);
      if (id === undefined) return answer(res, 404, `There is no such session any more.`);
      await this.#destroy(req, id);
      answer(res, 200, 'Revoked');
    } catch (error) {
      answer(res, 500, `Not revoked, since the session store failed. ${toldError(error)}`);
    }
  }

  /** As a logout: requests under way can't bring the session back, and its sockets are closed. */
  #destroy(req: AppRequest, id: string): Promise<void> {
    const { events, updater } = this.#core;
    return new Promise((resolve, reject) => {
      events.watch(
        'destroy',
        id,
        req,
        () => 'destroy',
        (finished) =>
          void updater.end(id, {}).then(
            () => finished(),
            (error) => finished(asError(error)),
          ),
        (error) => (error ? reject(error) : resolve()),
      );
    });
  }

  // ---- Open pages

  #stream(req: AppRequest, res: ServerResponse): void {
    if (this.#closed || this.#watchers.size >= MOST_WATCHERS) return answer(res, 503, 'Too many open pages');
    if (res.destroyed) return;
    if (req.method === 'HEAD') return void res.end();
    this.#tellNews(); // to the others: what this page gets now has it all
    const watcher = new Watcher(req, res);
    contextOf(req)?.letGo(); // hours later the session is another one, and must not be stored as it is now
    this.#watchers.add(watcher);
    res.on('close', () => this.#left(watcher));
    this.#heartbeat ??= unref(setInterval(() => this.#beat(), this.#settings.checkInterval));
    watcher.send('hello', {
      now: Date.now(),
      pid: process.pid,
      history: this.#settings.history,
      sessions: this.#settings.sessions,
      counts: this.#journal.counts,
      ...this.#journal.all,
    });
    this.#list([watcher]);
  }

  #left(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    if (this.#watchers.size > 0) return;
    clearInterval(this.#heartbeat);
    clearTimeout(this.#pause);
    this.#heartbeat = this.#pause = undefined;
    this.#changed.clear();
    this.#gone.clear();
  }

  /** Shows the sessions anew, since other processes change them too; and asks whether each page may still see them. */
  #beat(): void {
    for (const watcher of this.#watchers) void this.#check(watcher);
    this.#list(this.#watchers);
  }

  /** A guard that is still thinking at the next beat has let nobody in. */
  async #check(watcher: Watcher): Promise<void> {
    if (watcher.checking) return watcher.end();
    watcher.checking = true;
    try {
      const req = await asOfNow(watcher.req);
      if (req && (await this.#settings.guard(req)) === true) watcher.beat();
      else watcher.end();
    } catch (error) {
      this.#core.events.report(watcher.req.sessionID ?? '', watcher.req, error);
      watcher.end();
    }
    watcher.checking = false;
  }

  #list(watchers: Iterable<Watcher>): void {
    void this.#directory.list().then((listing) => {
      for (const watcher of watchers) watcher.send('sessions', listing);
    });
  }

  // ---- News

  #happened(name?: SessionEventName, event?: SessionEvent): void {
    const fate = name && event ? this.#directory.note(name, event) : undefined;
    if (this.#watchers.size === 0) return;
    if (fate && event) this.#mark(event.session, fate);
    this.#pause ??= unref(setTimeout(() => this.#tellNews(), PAUSE));
  }

  #mark(session: string, fate: 'live' | 'gone'): void {
    const [to, from] = fate === 'live' ? [this.#changed, this.#gone] : [this.#gone, this.#changed];
    from.delete(session);
    if (to.size < this.#settings.sessions) to.add(session);
    if (fate === 'gone') this.#checkThoseOf(session);
  }

  /** Whoever has just been logged out is not to see what comes next. */
  #checkThoseOf(session: string): void {
    for (const watcher of this.#watchers) {
      const { sessionID } = watcher.req;
      if (sessionID === undefined || shortHashOf(sessionID) !== session) continue;
      watcher.silence();
      void this.#check(watcher).then(() => watcher.speak());
    }
  }

  #tellNews(): void {
    clearTimeout(this.#pause);
    this.#pause = undefined;
    const news = this.#journal.takeNews();
    const gone = [...this.#gone];
    const changed = [...this.#changed];
    this.#gone.clear();
    this.#changed.clear();
    for (const watcher of this.#watchers)
      watcher.send('news', { ...news, gone, counts: this.#journal.counts });
    if (changed.length > 0) void this.#tellRows(changed);
  }

  /** A session that can't be read now is shown as it was, until the next beat. */
  async #tellRows(changed: string[]): Promise<void> {
    const found = await Promise.allSettled(changed.map((hash) => this.#directory.row(hash)));
    const rows = found.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : undefined));
    for (const watcher of this.#watchers) watcher.send('rows', { rows: rows.filter(Boolean) });
  }

  /** Ends all streams, and looks on no longer. */
  close(): void {
    this.#closed = true;
    this.#journal.close();
    for (const watcher of this.#watchers) watcher.end();
  }
}

function refuseMethod(res: ServerResponse, allowed: string): void {
  res.setHeader('Allow', allowed);
  answer(res, 405, 'Method not allowed');
}

function answer(res: ServerResponse, status: number, text: string): void {
  res.statusCode = status;
  res.setHeader('Content-Type', 'text/plain; charset=utf-8');
  res.end(text);
}
