import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import express from 'express';
import type { HostName } from './scenario.js';
import type { Middleware, Next, Request } from './subjects.js';

const express4 = require('express4') as typeof express;

export interface App {
  /** In front of the sessions. */
  before: Middleware[];
  sessions: Middleware[];
  /** The path under which Express mounts the sessions. */
  mountAt: string;
  trustProxy: boolean;
  handler: Middleware;
  onError(error: unknown, res: ServerResponse): void;
}

/** The app behind a real HTTP server, in plain node:http or one of the Express versions. */
export async function listen(host: HostName, app: App): Promise<Server> {
  const listener =
    host === 'http' ? plainListener(app) : expressListener(host === 'express4' ? express4 : express, app);
  // Larger than Node's default of 16 KB, so that big Cookie headers reach the middleware.
  const server = createServer({ maxHeaderSize: 256 * 1024 }, listener as RequestListener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function expressListener(framework: typeof express, app: App): unknown {
  const site = framework();
  site.set('trust proxy', app.trustProxy);
  for (const middleware of app.before) site.use(middleware as never);
  for (const middleware of app.sessions) site.use(app.mountAt, middleware as never);
  site.use(app.handler as never);
  // Express knows an error handler by its four parameters.
  site.use((error: unknown, _req: unknown, res: unknown, _next: unknown) =>
    app.onError(error, res as ServerResponse),
  );
  return site;
}

/** The few lines of Express that a chain of middlewares needs. */
function plainListener(app: App): (req: Request, res: ServerResponse) => void {
  const chain = [...app.before, ...app.sessions, app.handler];
  return (req, res) => {
    const run = (index: number): void => {
      const next: Next = (error) => {
        if (error) app.onError(error, res);
        else run(index + 1);
      };
      const middleware = chain[index];
      if (!middleware) {
        res.writeHead(404).end('nobody answered');
        return;
      }
      try {
        middleware(req, res, next);
      } catch (error) {
        next(error);
      }
    };
    run(0);
  };
}
