// CommonJS, the face of express-session's types: no esModuleInterop needed.
import session = require('steady-session');

declare module 'steady-session' {
  interface SessionData {
    visitsRequire: number;
  }
}

class OwnStore extends session.Store {
  get(_id: string, callback: (error: unknown, data?: session.SessionData | null) => void): void {
    callback(null, null);
  }
  set(_id: string, _data: session.SessionData, callback?: (error?: unknown) => void): void {
    callback?.();
  }
  destroy(_id: string, callback?: (error?: unknown) => void): void {
    callback?.();
  }
}

const store: session.Store = new OwnStore();
export const options: session.SessionOptions = {
  ...session.recommended,
  secret: 'for a test only',
  store,
  genid: (req) => req.headers.host ?? 'none',
  cookie: { maxAge: 60_000, sameSite: 'lax' },
};
export const handler: session.SessionHandler = session(options);

// @ts-expect-error: an option that does not exist
session({ secrets: 'for a test only' });
// @ts-expect-error: no SameSite that browsers know
session({ cookie: { sameSite: 'loose' } });
// @ts-expect-error: a session id is a string
session({ genid: () => 1 });

export const typed: session.TypedSessionHandler<{ userId: number }> = session<{ userId: number }>({
  owner: 'userId',
});
// @ts-expect-error: no key of these sessions
session<{ userId: number }>({ owner: 'userID' });
// @ts-expect-error: a domain
session({ name: '__Host-id', cookie: { secure: true, domain: 'example.com' } });

export function useSession(req: Express.Request): void {
  req.session.visitsRequire = (req.session.visitsRequire ?? 0) + 1;
  req.session.clear();
  const id: string = req.session.id + req.sessionID;
  req.session.cookie.maxAge = id.length;
  req.session.save(() => {}).touch();
  // @ts-expect-error: was declared as a number
  req.session.visitsRequire = 'many';
  // @ts-expect-error: was never declared
  req.session.visitRequire = 1;
}
