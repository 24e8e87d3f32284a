// @types/express-session beside this package: what an app declared for either is in req.session.
import type { Store } from 'express-session';
import session from 'steady-session';

declare module 'express-session' {
  interface SessionData {
    visitsTheirs: number;
  }
}

export function useSession(req: Express.Request, store: Store): void {
  req.session.visitsTheirs = req.session.visitsModule ?? 0;
  req.session.clear();
  req.session.regenerate(() => {});
  // @ts-expect-error: was declared as a number
  req.session.visitsTheirs = 'many';
  session({ store });
}
