// What express-session's own types don't have. Where those are installed, they hold for req.session.
import type session from 'steady-session';

export async function logIn(req: Express.Request): Promise<void> {
  await req.session.regenerate();
  await req.session.save();
  const loaded: (session.Session & session.SessionData) | undefined = await req.sessionStore.load(
    req.sessionID,
  );
  await loaded?.destroy();
}
