/** What one request of a run does with the session, and what it afterwards claims to have done. */
export interface Operation {
  name: string;
  /** `ends`: the loaded session is gone for good. `moves`: its data go on under a new id. */
  effect?: 'ends' | 'moves';
  /** It comes with the cookie of a session that nobody has issued. */
  stranger?: true;
  run(session: any, claim: Claim): unknown;
}

/** What a request claims: whoever has got its answer may rely on it. */
export interface Claim {
  /** Tells the requests of a run apart. */
  readonly index: number;
  /** Values by key; `undefined` for a key that it has removed. */
  readonly values: Map<string, unknown>;
  /** What an increment has made of the counter. */
  counted?: number;
  /** What it has got of the one-time token. */
  took?: unknown;
}

/** The data of the session that the requests of a run share. */
export const INITIAL = { seed: 'seed', n: 0, token: 'token', doomed: true };

function put(session: any, { index, values }: Claim, key: string): void {
  const value = `${key}${index}`;
  session[key] = value;
  values.set(key, value);
}

const nothing = { name: 'read', run() {} } satisfies Operation;

/** Time passes, longer than a session lives: no request, but a step of its own. */
export const EXPIRE: Operation = { name: 'expire', effect: 'ends', run() {} };

export const OPERATIONS: readonly Operation[] = [
  nothing,
  { name: 'touch', run: (session) => session.touch() },
  { name: 'change a', run: (session, claim) => put(session, claim, 'a') },
  { name: 'change b', run: (session, claim) => put(session, claim, 'b') },
  {
    name: 'remove a key',
    run(session, { values }) {
      if (session.doomed === undefined) return; // a new session
      delete session.doomed;
      values.set('doomed', undefined);
    },
  },
  {
    name: 'save, then change',
    async run(session, claim) {
      put(session, claim, 'early');
      await saved(session);
      put(session, claim, 'late');
    },
  },
  {
    name: 'increment',
    async run(session, claim) {
      const increment = (data: any) => {
        data.n = (data.n ?? 0) + 1;
        return data.n;
      };
      claim.counted = session.update ? await session.update(increment) : increment(session);
    },
  },
  {
    name: 'take',
    async run(session, claim) {
      const take = () => {
        const { token } = session;
        delete session.token;
        return token;
      };
      claim.took = session.take ? await session.take('token') : take();
    },
  },
  { name: 'destroy', effect: 'ends', run: (session) => destroyed(session) },
  {
    name: 'unset',
    effect: 'ends',
    run({ req }) {
      req.session = null;
    },
  },
  {
    name: 'clear',
    effect: 'ends',
    run: (session) => (session.clear ? session.clear() : destroyed(session)),
  },
  {
    name: 'clear and refill',
    effect: 'ends',
    async run(session, claim) {
      if (session.clear) session.clear();
      else await regenerated(session);
      put(session.req.session, claim, 'refill');
    },
  },
  {
    name: 'regenerate',
    effect: 'ends',
    async run(session, claim) {
      await regenerated(session);
      put(session.req.session, claim, 'login');
    },
  },
  {
    name: 'regenerate and keep',
    effect: 'moves',
    async run(session, claim) {
      const { cookie: _, ...data } = session;
      if (session.update) await session.regenerate({ keep: true });
      else {
        await regenerated(session);
        Object.assign(session.req.session, data);
      }
      put(session.req.session, claim, 'kept');
    },
  },
  { name: 'stranger', stranger: true, run: (session, claim) => put(session, claim, 'a') },
  EXPIRE,
];

// By callback, which the real express-session has too.

function saved(session: any): Promise<void> {
  return new Promise((resolve, reject) => session.save((error?: unknown) => settle(error, resolve, reject)));
}

function destroyed(session: any): Promise<void> {
  return new Promise((resolve, reject) =>
    session.destroy((error?: unknown) => settle(error, resolve, reject)),
  );
}

function regenerated(session: any): Promise<void> {
  return new Promise((resolve, reject) =>
    session.regenerate((error?: unknown) => settle(error, resolve, reject)),
  );
}

function settle(error: unknown, resolve: () => void, reject: (error: unknown) => void): void {
  if (error) reject(error);
  else resolve();
}
