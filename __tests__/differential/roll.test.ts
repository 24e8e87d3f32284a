/** One Redis, one secret, connect-redis: users go back and forth between the two packages. */
import { RedisStore } from 'connect-redis';
import express from 'express';
import { createClient } from 'redis';
import request from 'supertest';
import session from '../../lib/index.js';
import { describeWith, type RedisServer, startRedis } from '../support/servers.js';

const expressSession = require('express-session'); // it brings no types
const SECRET = 'one secret for both, of thirty-two bytes';

describeWith('redis-server', 'rolling forward and back', () => {
  let server: RedisServer;
  let client: any;

  beforeAll(async () => {
    server = await startRedis();
    client = await createClient({ url: server.url }).connect();
  });
  afterAll(async () => {
    client.destroy();
    await server.stop();
  });
  beforeEach(() => client.flushAll());

  function appOf(make: (options: any) => any) {
    const app = express();
    const store = new RedisStore({ client });
    app.use(
      make({ secret: SECRET, resave: false, saveUninitialized: false, store, cookie: { maxAge: 60_000 } }),
    );
    app.get('/login', (req: any, res, next) =>
      req.session.regenerate((error: unknown) => {
        if (error) return next(error);
        req.session.user = 'ada';
        res.send('in');
      }),
    );
    app.get('/visit/:page', (req: any, res) => {
      req.session.pages = [...(req.session.pages ?? []), req.params.page];
      res.json({ user: req.session.user, pages: req.session.pages });
    });
    app.get('/logout', (req: any, res) => req.session.destroy(() => res.send('out')));
    app.get('/who', (req: any, res) => res.json({ user: req.session.user ?? null }));
    return app;
  }

  test.each([
    ['express-session, then steady-session', expressSession, session],
    ['steady-session, then express-session', session, expressSession],
  ])('%s: a login goes on, mid-traffic, with one record and one cookie', async (_, first, second) => {
    const apps = [appOf(first), appOf(second)];
    const login = await request(apps[0]!).get('/login');
    const cookie = login.headers['set-cookie']![0]!.split(';')[0]!;
    const get = async (app: express.Express, path: string) =>
      (await request(app).get(path).set('Cookie', cookie)).body;

    const answers = [];
    for (let page = 0; page < 6; page++) answers.push(await get(apps[page % 2]!, `/visit/${page}`));

    expect(answers.at(-1)).toEqual({ user: 'ada', pages: ['0', '1', '2', '3', '4', '5'] });
    expect(await client.keys('*')).toHaveLength(1);
    await get(apps[1]!, '/logout');
    expect(await client.keys('*')).toEqual([]);
    expect(await get(apps[0]!, '/who')).toEqual({ user: null });
  });

  test('the records that both store for the same visits are the same, but for their times', async () => {
    const records = [];
    for (const make of [expressSession, session]) {
      await client.flushAll();
      const app = appOf(make);
      const agent = request.agent(app);
      await agent.get('/login');
      await agent.get('/visit/a');
      const [key] = await client.keys('*');
      const text: string = await client.get(key);
      records.push(text.replace(/"expires":"[^"]+"/, '"expires":"..."'));
    }
    expect(records[1]).toBe(records[0]);
  });
});
