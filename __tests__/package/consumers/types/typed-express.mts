// Sessions that are typed where session() is called, in Express's handlers; without express-session's own types, which
// would have their say on req.session.
import express, { type Request } from 'express';
import session from 'steady-session';

interface MySession {
  userId: number;
}

// oxlint-disable-next-line no-redundant-type-constituents -- in this repository, the import finds nothing
type MyRequest = Request & session.TypedSessionRequest<MySession>;

const app = express();
const sessions = session<MySession>({
  ...session.recommended,
  owner: 'userId',
  genid: (req) => req.hostname,
});
app.use(sessions);
app.post('/login', async (req: MyRequest, res) => {
  await req.session.regenerate();
  req.session.userId = Number(req.body.id);
  // @ts-expect-error: a number
  req.session.userId = 'ada';
  res.redirect('/');
});
app.post('/logout-everywhere', async (req: MyRequest, res) => {
  const { userId } = req.session;
  const count: number = userId === undefined ? 0 : await sessions.revoke(userId);
  res.json({ count });
});
app.use((req: MyRequest, _res, next) => {
  // @ts-expect-error: not a property of these sessions
  if (req.session.userID) next();
  else next('route');
});
