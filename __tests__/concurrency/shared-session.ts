import session from '../../lib/index.js';
import { type Answer, Browser, type Gate, gate } from '../support/http.js';
import { answer500, type ErrorHandler, type Site, serve } from '../support/sites.js';
import { makeStore, type StoreName, type Traffic } from '../support/test-stores.js';

/** What a request does with its session; what it returns is the answer, as JSON. */
export type Action = (req: any, res: any) => unknown;

export interface SharedSessionOptions extends session.SessionOptions {
  /** `session()` of another package. */
  package?: (options: any) => any;
  onError?: ErrorHandler;
}

/** A site with one session, stored with {@link INITIAL}, that several requests use at the same time. */
export interface SharedSession {
  readonly site: Site;
  readonly handler: session.SessionHandler;
  readonly traffic: Traffic;
  readonly id: string;
  /** What was told of sessions, oldest first. */
  readonly events: { name: string; [detail: string]: unknown }[];
  /** All stored sessions by id, without their cookies. */
  data(): Record<string, Record<string, unknown>>;
  /** Sends a request with the session's cookie, which does `action`, and waits for its answer. */
  request(action: Action): Promise<Answer>;
  /** Sends a request of somebody else, who has no session. */
  strange(action: Action): Promise<Answer>;
  /** Starts a request, and resolves when it has loaded the session and done `before`, if that is given. */
  begin(before?: Action): Promise<Pending>;
  /** Waits until all responses are over and the store is idle. */
  settled(): Promise<void>;
}

/** A request that has its session and waits. */
export interface Pending {
  /** Lets it do `action` and answer. */
  finish(action: Action): Promise<Answer>;
}

export const INITIAL = { a: 'initial', b: 'initial', n: 0 };

const EVENTS = ['conflict', 'interrupted', 'error'] as const;

export async function share(
  store: StoreName | session.Store | session.SessionStore,
  { package: make = session, onError = answer500, ...options }: SharedSessionOptions = {},
): Promise<SharedSession> {
  const stored = typeof store === 'string' ? makeStore(store) : given(store);
  const handler = make({
    ...{ secret: 'keyboard cat', resave: false, saveUninitialized: false },
    ...options,
    store: stored.store,
  });
  const actions = new Map<string, Action>([['/', ({ session }) => Object.assign(session, INITIAL)]]);
  const site = await serve(
    'node:http',
    [
      handler,
      async (req, res) => {
        const result = await actions.get(req.url)!(req, res);
        if (!res.writableEnded) res.end(JSON.stringify(result) ?? '');
      },
    ],
    onError,
  );
  const events: SharedSession['events'] = [];
  if (make === session) {
    for (const name of EVENTS)
      handler.on(name, ({ req: _req, ...event }: any) => events.push({ name, ...event }));
  }

  const browser = new Browser(site);
  const settled = async () => {
    await site.settled();
    await stored.traffic.idle();
  };
  await browser.get('/');
  await settled();
  stored.traffic.calls.length = 0;
  const headers = { cookie: browser.cookieHeader('/') };
  const id = decodeURIComponent(browser.cookie('connect.sid')!).slice(2).split('.')[0]!;

  let count = 0;
  const send = (action: Action, sent: Record<string, string> = headers): Promise<Answer> => {
    const path = `/${++count}`;
    actions.set(path, action);
    return new Browser(site).get(path, { headers: sent });
  };
  const strange = (action: Action) => send(action, {});

  async function begin(before?: Action): Promise<Pending> {
    const ready: Gate = gate();
    const goOn: Gate = gate();
    let rest: Action = () => undefined;
    const answer = send(async (req, res) => {
      await before?.(req, res);
      ready.open();
      await goOn.opened;
      return rest(req, res);
    });
    await Promise.race([ready.opened, answer]);
    return {
      finish(action) {
        rest = action;
        goOn.open();
        return answer;
      },
    };
  }

  return { ...stored, site, handler, id, events, request: send, strange, begin, settled };
}

function given(store: session.Store | session.SessionStore) {
  return { ...makeStore('text store'), store };
}

/** The value that an answer has brought. */
export function bodyOf({ body }: Answer): unknown {
  return body === '' ? undefined : JSON.parse(body);
}
