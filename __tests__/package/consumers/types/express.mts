// An Express app: Express's own request type reaches the options, and req.session every handler.
import express, { type Request, type Response } from 'express';
import session from 'steady-session';

const app = express();
app.use(
  session({
    secret: 'for a test only',
    genid: (req) => `${req.ip}${req.get('host')}`,
    cookie: (req) => ({ path: req.baseUrl, secure: req.secure }),
  }),
);
app.use(session({ genid: (req: Request) => req.hostname }));
app.get('/users/:name', session(), (req, res) => {
  const name: string | string[] = req.params.name;
  res.json([name, req.session.id, req.session.visitsModule]);
});

export function logOut(req: Request, res: Response): void {
  req.session.clear();
  req.session.destroy((error) => res.sendStatus(error ? 500 : 204));
}

session({
  // @ts-expect-error: not a property of Express's request
  genid: (req) => req.hostName,
});
