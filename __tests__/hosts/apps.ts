// The same small app on each host: GET /me, POST /login, POST /logout.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import connect from 'connect';
import express, { type Request } from 'express';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import session from '../../lib/index.js';
import { compileLib, nodeModules } from '../support/compile.js';

const express4 = require('express4') as typeof express;
const fastify = require('fastify') as () => FastifyInstance;
const { SlowStore } = require('./slow-store.cjs') as {
  SlowStore: new () => session.SessionStore & { users(): string[] };
};

interface Login {
  user: string;
}

type LoginRequest = session.TypedSessionRequest<Login>;

export interface App {
  url: string;
  /** Whose sessions the store holds at this moment. */
  users(): Promise<string[]>;
  close(): Promise<unknown>;
}

export const HOSTS: [string, () => Promise<App>][] = [
  ['Express 5', () => startExpress(express)],
  ['Express 4', () => startExpress(express4)],
  ['connect', startConnect],
  ['node:http', startPlain],
  ['NestJS on Express', startNest],
  ['Fastify through @fastify/express', () => startFastify(require('@fastify/express'))],
  ['Fastify through @fastify/middie', () => startFastify(require('@fastify/middie'))],
];

function makeSessions() {
  const store = new SlowStore();
  const sessions = session<Login>({ ...session.recommended, secret: 'for a test only', store });
  return { sessions, users: async () => store.users() };
}

async function startExpress(express: typeof import('express')): Promise<App> {
  const { sessions, users } = makeSessions();
  const app = express();
  app.use(sessions);
  app.get('/me', (req: Request & LoginRequest, res) => {
    res.send(req.session.user ?? 'nobody');
  });
  app.post('/login', (req: Request & LoginRequest, res) => {
    req.session.user = 'ada';
    res.redirect('/me');
  });
  app.post('/logout', async (req, res) => {
    await req.session.destroy();
    res.send('bye');
  });
  return listen(createServer(app), users);
}

async function startConnect(): Promise<App> {
  const { sessions, users } = makeSessions();
  const app = connect();
  app.use(sessions);
  app.use((req, res, next) => answer(req, res).catch(next));
  return listen(createServer(app), users);
}

async function startPlain(): Promise<App> {
  const { sessions, users } = makeSessions();
  const server = createServer((req, res) => {
    sessions(req, res, (error) => {
      if (error) res.writeHead(500).end();
      else void answer(req, res);
    });
  });
  return listen(server, users);
}

/** Of hosts that leave everything to the app. */
async function answer(request: IncomingMessage, res: ServerResponse): Promise<void> {
  const req = request as LoginRequest;
  if (req.url === '/login') {
    req.session!.user = 'ada';
    res.writeHead(302, { Location: '/me' }).end();
  } else if (req.url === '/logout') {
    await req.session!.destroy();
    res.end('bye');
  } else {
    res.end(req.session!.user ?? 'nobody');
  }
}

async function startFastify(plugin: any): Promise<App> {
  const { sessions, users } = makeSessions();
  const app = fastify();
  await app.register(plugin);
  (app as unknown as { use(middleware: unknown): void }).use(sessions);
  const sessionOf = ({ raw }: FastifyRequest) => (raw as LoginRequest).session!;
  app.get('/me', async (request) => sessionOf(request).user ?? 'nobody');
  app.post('/login', (request: FastifyRequest, reply: FastifyReply) => {
    sessionOf(request).user = 'ada';
    return reply.redirect('/me');
  });
  app.post('/logout', async (request) => {
    await sessionOf(request).destroy();
    return 'bye';
  });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  return { url, users, close: () => app.close() };
}

async function startNest(): Promise<App> {
  const library = compileLib();
  const child = spawn(process.execPath, [join(__dirname, 'nest.mjs'), join(library.dir, 'index.js')], {
    env: { ...process.env, NODE_PATH: nodeModules },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const [url] = (await Promise.race([once(createInterface(child.stdout), 'line'), exited])) as [unknown];
  if (typeof url !== 'string') throw new Error(`nest.mjs ended with ${url}`);
  return {
    url,
    users: async () => (await fetch(`${url}/users`)).json(),
    async close() {
      child.stdin.end();
      await exited;
      library.remove();
    },
  };
}

async function listen(server: Server, users: () => Promise<string[]>): Promise<App> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, users, close: () => closeServer(server) };
}

async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
