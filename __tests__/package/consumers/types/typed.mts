// Sessions that are typed where session() is called, and names that promise something of their cookie.
import session from 'steady-session';

interface MySession {
  userId: number;
  cart: string[];
}

const sessions: session.TypedSessionHandler<MySession> = session<MySession>({
  ...session.recommended,
  secret: 'for a test only',
  owner: 'userId',
  merge(base, mine, theirs, key) {
    if (key === 'cart') return [...(theirs ?? []), ...(mine ?? []).slice(base?.length)];
    return mine;
  },
});
session<MySession>({ ...session.recommended, owner: (data) => data.userId?.toFixed() });
session<MySession>({ ...session.recommended });
session<MySession>({
  merge(_base, mine, _theirs, key) {
    const count: number | undefined = key === 'userId' ? mine : 0;
    return count;
  },
});

session<MySession>({ merge: (_base, mine, theirs): number | string[] | undefined => mine ?? theirs });
session<MySession>({ merge: (base, mine) => mine ?? base });
session<MySession>({ merge: (base) => base });
session<MySession>({ merge: () => 0 });
session<MySession>({ merge: (...[, mine, theirs, key]) => (key === 'cart' ? mine?.length : theirs) });
session({ merge: (_base, mine, theirs) => mine ?? theirs });

// @ts-expect-error: no key of these sessions
session<MySession>({ owner: 'userID' });
session<MySession>({
  // @ts-expect-error: not a property of these sessions
  owner: (data) => data.userID,
});
session<MySession>({
  // @ts-expect-error: a number has no length
  merge: (_base, mine, _theirs, key) => (key === 'userId' ? mine?.length : mine),
});
session<MySession>({
  // @ts-expect-error: may be a number, which has no length
  merge: (_base, mine) => mine?.length,
});
session<MySession>({
  // @ts-expect-error: no value is a date
  merge: (_base: Date, mine: Date) => mine,
});

export async function listCarts(): Promise<string[]> {
  const items: string[] = [];
  for await (const { data } of sessions.of(7)) {
    items.push(...(data.cart ?? []));
    // @ts-expect-error: a list of strings
    data.cart = 1;
  }
  return items;
}

export async function useSession(req: session.TypedSessionRequest<MySession>): Promise<void> {
  if (!req.session) return;
  req.session.cart = [req.session.id, req.sessionID];
  const next: number = await req.session.update((data) => (data.userId ?? 0) + 1);
  const cart: string[] | undefined = await req.session.take('cart');
  await req.session.regenerate({ keep: ['cart'] });
  req.session.regenerate({ keep: true }, () => {});
  req.session.cookie.maxAge = next + (cart?.length ?? 0);
  await req.session.save();
  // @ts-expect-error: a number
  req.session.userId = 'ada';
  // @ts-expect-error: not a property of these sessions
  await req.session.update((data) => data.userID);
  // @ts-expect-error: not a property of these sessions
  await req.session.take('basket');
  // @ts-expect-error: not a property of these sessions
  await req.session.regenerate({ keep: ['basket'] });
}

// ---- Names

const wide: session.CookieOptions = { secure: true };
const options: session.SessionOptions = { secret: 'for a test only', name: '__Host-id' };

export const right = [
  session({ name: '__Host-id', cookie: { secure: true } }),
  session({ name: '__Host-id', cookie: { secure: 'auto', path: '/', maxAge: 60_000 } }),
  session({ name: '__Host-id', cookie: wide }),
  session({ name: '__Host-id', cookie: { ...wide, path: String(options.name) } }),
  session({ name: '__Host-id', cookie: (req) => ({ secure: true, path: req.headers.host ?? '/' }) }),
  session({ ...session.recommended, name: '__Host-id' }),
  session({
    ...session.recommended,
    name: '__Host-id',
    cookie: { ...session.recommended.cookie, maxAge: 1 },
  }),
  session({ name: '__Secure-id', cookie: { secure: true, path: '/app', domain: 'example.com' } }),
  session({ name: 'id', cookie: { path: '/app', domain: 'example.com' } }),
  session({ name: String(options.name), cookie: { domain: 'example.com' } }),
  session({ ...options, cookie: { domain: 'example.com' } }),
  session(options),
  session(),
];

export const wrong = [
  // @ts-expect-error: a domain
  session({ name: '__Host-id', cookie: { secure: true, domain: 'example.com' } }),
  session({
    ...session.recommended,
    name: '__Host-id',
    // @ts-expect-error: a domain
    cookie: { ...session.recommended.cookie, domain: 'example.com' },
  }),
  // @ts-expect-error: another path
  session({ name: '__Host-id', cookie: { secure: true, path: '/app' } }),
  // @ts-expect-error: not secure
  session({ name: '__Host-id', cookie: { secure: false } }),
  // @ts-expect-error: not secure
  session({ name: '__Host-id', cookie: { maxAge: 60_000 } }),
  // @ts-expect-error: not secure
  session({ name: '__Host-id' }),
  // @ts-expect-error: not secure
  session({ name: '__Secure-id', cookie: { maxAge: 60_000 } }),
];
