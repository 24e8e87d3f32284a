import session from '../../lib/index.js';
import { Browser } from './http.js';
import { answer500, type ErrorHandler, type Handler, type HostName, type Site, serve } from './sites.js';
import { makeStore, type StoreName, type TestStore, type Traffic } from './test-stores.js';

export interface Setup {
  host: HostName;
  store: StoreName;
  options?: session.SessionOptions;
  /** Middlewares in front of the sessions. */
  before?: Handler[];
  /** What comes after the sessions; the last one answers. */
  after: Handler[];
  onError?: ErrorHandler;
}

/** A site with sessions, with what a test needs to act on it and to look inside. */
export interface Fixture extends TestStore {
  site: Site;
  sessions: session.SessionHandler;
  browser: Browser;
  /** The data of the only stored session; `undefined` if none is stored. */
  onlyData(): Record<string, unknown> | undefined;
  /** Waits until all responses are over and the store has nothing left to do. */
  settled(): Promise<void>;
}

/** What a session has that {@link begin} has made. */
export const BEGUN = { user: 'ada' };

/**
 * Starts a site. Two of its pages are always there: `/begin` puts {@link BEGUN} in the session, and `/data` shows
 * what is in it.
 */
export async function start(setup: Setup): Promise<Fixture> {
  const { host, store, options = {}, before = [], after, onError = answer500 } = setup;
  const stored = makeStore(store);
  const sessions = session({ ...baseOptions, store: stored.store, ...options });
  const site = await serve(host, [...before.map(exceptOwnPages), sessions, ownPages, ...after], onError);
  const settled = async () => {
    await site.settled();
    await stored.traffic.idle();
  };
  return { ...stored, site, sessions, browser: new Browser(site), settled, onlyData: () => onlyOf(stored) };
}

export const baseOptions: session.SessionOptions = {
  secret: 'keyboard cat',
  resave: false,
  saveUninitialized: false,
};

/** Gives the browser a stored session. */
export async function begin({ browser, traffic, settled }: Fixture): Promise<void> {
  await browser.get('/begin');
  await settled();
  clear(traffic);
}

function clear(traffic: Traffic): void {
  traffic.calls.length = 0;
}

/** The data that the browser's next request finds in its session. */
export async function dataSeenBy(browser: Browser): Promise<unknown> {
  return JSON.parse((await browser.get('/data')).body);
}

/** Every host with every store, for `describe.each`. */
export function combine<A, B>(hosts: readonly A[], stores: readonly B[]): [A, B][] {
  return hosts.flatMap((host) => stores.map((store): [A, B] => [host, store]));
}

const ownPages: Handler = (req, res, next) => {
  if (req.url === '/begin') {
    Object.assign(req.session, BEGUN);
    res.end('begun');
  } else if (req.url === '/data') {
    const { cookie: _, ...data } = req.session;
    res.end(JSON.stringify(data));
  } else {
    next();
  }
};

function exceptOwnPages(handler: Handler): Handler {
  return (req, res, next) => (req.url === '/begin' || req.url === '/data' ? next() : handler(req, res, next));
}

function onlyOf(stored: TestStore): Record<string, unknown> | undefined {
  const all = Object.values(stored.data());
  if (all.length > 1) throw new Error(`${all.length} sessions are stored: ${JSON.stringify(stored.data())}`);
  return all[0];
}
