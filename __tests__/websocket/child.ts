/**
 * A program: an app with sessions in Redis or PostgreSQL, over HTTP and WebSocket. It tells its port, and takes its
 * settings from argv.
 */
import { createServer } from 'node:http';
import express from 'express';
import { Pool } from 'pg';
import { createClient } from 'redis';
import { WebSocketServer } from 'ws';
import session from '../../lib/index.js';
import { PostgresStore } from '../../lib/stores/postgres.js';
import { RedisStore } from '../../lib/stores/redis.js';

async function open(url: string, notify: boolean): Promise<session.SessionStore> {
  if (url.startsWith('redis')) {
    const client = await createClient({ url }).on('error', console.error).connect();
    return new RedisStore({ client, notify });
  }
  const pool = new Pool({ connectionString: url }).on('error', console.error);
  return new PostgresStore({ pool, createTable: true, notify });
}

async function main(url: string, checkInterval: number, notify: boolean, hashed: boolean): Promise<void> {
  const store = await open(url, notify);
  const sessions = session({
    ...session.recommended,
    secret: 'a secret of two processes, 32 bytes or more',
    store: hashed ? session.hashIds(store) : store,
    owner: 'user',
  });
  const app = express();
  app.use(sessions);
  app.get('/login', (req: any, res) => {
    req.session.user = 'ada';
    res.end();
  });
  app.get('/put', (req: any, res) => {
    req.session.color = 'red';
    res.end();
  });
  app.get('/regenerate', async (req: any, res) => {
    await req.session.regenerate();
    req.session.user = 'ada';
    res.end();
  });
  app.get('/logout', (req: any, res) => {
    req.session.clear();
    res.end();
  });
  app.get('/revoke', async (_req, res) => {
    res.json(await sessions.revoke('ada'));
  });
  app.get('/session', (req: any, res) => {
    res.json({ ...req.session, cookie: undefined });
  });
  const server = createServer(app);
  const wss = new WebSocketServer({ server });
  sessions.websocket(wss, { checkInterval });
  wss.on('connection', (socket, req: any) => {
    socket.on('message', async (data) => {
      if (String(data) === 'reload') await req.session.reload();
      else req.session.moves = Number(data);
      socket.send(JSON.stringify({ ...req.session, cookie: undefined }));
    });
  });
  server.listen(0, '127.0.0.1', () => console.log((server.address() as { port: number }).port));
}

const [, , url, checkInterval, ...words] = process.argv;
void main(url as string, Number(checkInterval), words.includes('notify'), words.includes('hashed'));
