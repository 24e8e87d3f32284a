// A process of an app. The tests compile it and run several; it is configured by CONFIG and talks to them by messages.

import express, { type NextFunction, type Request, type Response } from 'express';
import { Pool } from 'pg';
import { createClient } from 'redis';
import type session from '../../../lib/index.js';

export interface AppConfig {
  /** Where the compiled library is. */
  lib: string;
  store: { kind: 'redis' | 'postgres'; url: string };
  options: session.SessionOptions;
}

/** What the process answers to the message `state`. */
export interface AppState {
  heapUsed: number;
  /** By name of the emitter and event. */
  listeners: Record<string, number>;
  /** Running timers that keep the process alive. */
  timers: number;
}

const config: AppConfig = JSON.parse(process.env['CONFIG']!);
const emitters = new Map<string, NodeJS.EventEmitter>([['process', process]]);

async function openStore(): Promise<session.SessionStore> {
  const { kind, url } = config.store;
  if (kind === 'redis') {
    const { RedisStore } = require(`${config.lib}/stores/redis.js`);
    const client = createClient({ url });
    client.on('error', () => {}); // trouble with the server is what is tested
    emitters.set('client', client as never);
    await client.connect();
    return new RedisStore({ client });
  }
  const { PostgresStore } = require(`${config.lib}/stores/postgres.js`);
  const pool = new Pool({ connectionString: url, max: 5 });
  pool.on('error', () => {});
  emitters.set('pool', pool);
  return new PostgresStore({ pool, createTable: true });
}

function listen(store: session.SessionStore): void {
  const sessions = require(`${config.lib}/index.js`)({ ...config.options, store });
  sessions.on('error', () => {});
  const app = express();
  app.set('env', 'test'); // so that it does not log errors that nobody handles
  app.use(sessions);
  app.get('/begin', (req: any, res: Response) => {
    req.session.n = 0;
    res.json({});
  });
  app.get('/read', (req: any, res: Response) => {
    const { cookie: _, ...data } = req.session;
    res.json({ data });
  });
  app.get('/put', found, (req: any, res: Response) => {
    const { key, value } = req.query;
    req.session[key] = value;
    res.json({});
  });
  app.get('/remove', found, (req: any, res: Response) => {
    delete req.session[req.query.key];
    res.json({});
  });
  app.get('/increment', found, async (req: any, res: Response) => {
    const value = await req.session.update((data: any) => ++data.n);
    res.json({ value });
  });
  app.get('/take', found, async (req: any, res: Response) => {
    const value = await req.session.take(req.query.key);
    res.json({ value });
  });
  app.get('/logout', found, async (req: any, res: Response) => {
    await req.session.destroy();
    res.json({});
  });
  app.get('/regenerate', found, async (req: any, res: Response) => {
    await req.session.regenerate({ keep: req.query.keep === 'true' });
    req.session.n ??= 0;
    res.json({});
  });
  app.use((error: any, _req: Request, res: Response, next: NextFunction) => {
    if (res.headersSent) return next(error);
    res
      .status(error.code === 'ERR_SESSION_GONE' ? 410 : 500)
      .json({ code: error.code, message: error.message });
  });
  const server = app.listen(0, '127.0.0.1', () => {
    process.send!({ port: (server.address() as { port: number }).port });
  });
  server.keepAliveTimeout = 60_000; // or an idle connection could end just when a request takes it
}

/** The session that the request names is there. */
function found(req: any, res: Response, next: NextFunction): void {
  if (req.session.n === undefined) res.status(410).json({ code: 'not found' });
  else next();
}

function state(): AppState {
  globalThis.gc!();
  const listeners = [...emitters].flatMap(([name, emitter]) =>
    emitter.eventNames().map((event) => [`${name} ${String(event)}`, emitter.listenerCount(event)]),
  );
  return {
    heapUsed: process.memoryUsage().heapUsed,
    listeners: Object.fromEntries(listeners),
    timers: process.getActiveResourcesInfo().filter((type) => type === 'Timeout').length,
  };
}

process.on('message', () => process.send!({ state: state() }));
process.on('disconnect', () => process.exit());
void openStore().then(listen);
