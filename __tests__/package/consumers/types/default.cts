// CommonJS by a default import (esModuleInterop).
import session from 'steady-session';

declare module 'steady-session' {
  interface SessionData {
    visitsDefault: number;
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

export function useSession(req: Express.Request): void {
  req.session.visitsDefault = (req.session.visitsDefault ?? 0) + 1;
  req.session.clear();
  const id: string = req.session.id + req.sessionID;
  req.session.cookie.maxAge = id.length;
  req.session.save(() => {}).touch();
  // @ts-expect-error: was declared as a number
  req.session.visitsDefault = 'many';
  // @ts-expect-error: was never declared
  req.session.visitDefault = 1;
}
