/** Platforms that have no connections: a response is collected, and given back as a whole. */
import express from 'express';
import session from '../../lib/index.js';
import { eventually } from '../support/async.js';
import { SlowStore } from './slow-store.cjs';

const serverlessHttp = require('serverless-http') as Adapter;
const codegenie = require('@codegenie/serverless-express') as (options: { app: express.Express }) => Handler;

type Handler = (event: object, context: object) => Promise<Result>;
type Adapter = (app: express.Express) => Handler;

/** What API Gateway takes. */
interface Result {
  statusCode: number;
  body: string;
  headers?: Record<string, string>;
  multiValueHeaders?: Record<string, string[]>;
}

function cookieOf({ headers, multiValueHeaders }: Result): string | undefined {
  const lines = { ...headers, ...multiValueHeaders };
  const name = Object.keys(lines).find((key) => key.toLowerCase() === 'set-cookie');
  return name && String(lines[name]).split(';')[0];
}

const STORES: [string, () => session.SessionStore | undefined][] = [
  ['the memory store', () => undefined],
  ['a store that takes its time', () => new SlowStore()],
];

describe.each<[string, Adapter]>([
  ['serverless-http', serverlessHttp],
  ['@codegenie/serverless-express', (app) => codegenie({ app })],
])('%s', (_, adapt) => {
  test.each(STORES)('over %s: all of a response is there when it is collected', async (_store, makeStore) => {
    const app = express();
    app.use(
      session({ secret: 'for a test only', resave: false, saveUninitialized: false, store: makeStore() }),
    );
    app.get('/', (req: any, res) => void res.send(req.session.user ?? 'nobody'));
    app.get('/untouched', (_req, res) => void res.send('untouched'));
    app.get('/login', (req: any, res) => {
      req.session.user = 'ada';
      res.redirect('/');
    });
    const handle = adapt(app);
    let cookie = '';
    const visit = async (path: string) => {
      const headers = cookie && { cookie };
      const multiValueHeaders = cookie && { cookie: [cookie] };
      const event = { httpMethod: 'GET', path, headers, multiValueHeaders, requestContext: {}, body: null };
      return handle(event, {});
    };

    expect(await visit('/untouched')).toMatchObject({ statusCode: 200, body: 'untouched' });
    const login = await visit('/login');
    expect(login).toMatchObject({ statusCode: 302, body: 'Found. Redirecting to /' });
    cookie = cookieOf(login) as string;
    expect(cookie).toMatch(/^connect\.sid=s%3A/);
    expect(await visit('/')).toMatchObject({ statusCode: 200, body: 'ada' });
    expect(await visit('/untouched')).toMatchObject({ statusCode: 200, body: 'untouched' });
  });

  const get = (path: string) => ({ httpMethod: 'GET', path, requestContext: {}, body: null });

  test('a failed save reaches the error handler', async () => {
    const store: session.SessionStore = Object.assign(new SlowStore(), {
      set: () => Promise.reject(new Error('away')),
    });
    const app = express();
    const told: string[] = [];
    app.use(session({ secret: 'for a test only', resave: false, saveUninitialized: false, store }));
    app.get('/login', (req: any, res) => {
      req.session.user = 'ada';
      res.send('welcome');
    });
    app.use((error: Error, _req: unknown, _res: unknown, _next: unknown) => void told.push(error.message));
    const { statusCode, body } = await adapt(app)(get('/login'), {});

    expect([statusCode, body]).toEqual([200, 'welcome']);
    expect(await eventually(() => told[0])).toBe('away');
  });

  test('what is set after the end does not show', async () => {
    const app = express();
    app.use(session({ secret: 'for a test only', resave: false, saveUninitialized: false }));
    app.get('/', (_req, res) => {
      res.send('found');
      res.statusCode = 404;
    });

    expect(await adapt(app)(get('/'), {})).toMatchObject({ statusCode: 200, body: 'found' });
  });
});
