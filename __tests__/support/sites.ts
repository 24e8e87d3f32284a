import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import express from 'express';
import { turn } from './http.js';

const express4 = require('express4') as typeof express;

/** Where the middleware runs. */
export const HTTP1_HOSTS = ['node:http', 'express 5', 'express 4'] as const;
export const HOSTS = [...HTTP1_HOSTS, 'http/2'] as const;
export type HostName = (typeof HOSTS)[number];

export type Handler = (req: any, res: any, next: (error?: unknown) => unknown) => unknown;
export type ErrorHandler = (error: any, req: any, res: any) => unknown;

/** A server that runs a chain of middlewares on a free port. */
export interface Site {
  readonly port: number;
  readonly http2: boolean;
  /** Errors that reached the app's error handling, oldest first. */
  readonly errors: unknown[];
  /** The server's ends of all connections. */
  readonly sockets: Socket[];
  /** Waits until all responses so far are over, and what the middleware does in the same turn is done. */
  settled(): Promise<void>;
}

const running: (() => Promise<void>)[] = [];

/** Expectations that failed in a handler, where they are errors of the app like any other. */
const unmet: unknown[] = [];

/** Call it after each test. @throws the first expectation of a handler's that failed */
export async function closeSites(): Promise<void> {
  await Promise.all(running.splice(0).map((close) => close()));
  const [first] = unmet.splice(0);
  if (first) throw first;
}

/**
 * Starts a site.
 * @param onError answers when a middleware has failed; by default with status 500 and the error's message
 */
export async function serve(
  host: HostName,
  handlers: Handler[],
  onError: ErrorHandler = answer500,
): Promise<Site> {
  const errors: unknown[] = [];
  const over: Promise<unknown>[] = [];
  const handleError: ErrorHandler = (error, req, res) => {
    errors.push(error);
    if (error instanceof Error && 'matcherResult' in error) unmet.push(error);
    return onError(error, req, res);
  };
  const app =
    host === 'express 5' || host === 'express 4'
      ? expressApp(host, handlers, handleError)
      : plainApp(handlers, handleError);
  const listener = (req: IncomingMessage, res: ServerResponse) => {
    over.push(new Promise((resolve) => res.once('close', resolve)));
    app(req, res);
  };
  const http2 = host === 'http/2';
  const server: Server | Http2Server = http2 ? createHttp2Server(listener as never) : createServer(listener);
  const sockets = watchConnections(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const settled = async () => {
    await Promise.all(over);
    await turn();
  };
  return { port: (server.address() as AddressInfo).port, http2, errors, sockets, settled };
}

function watchConnections(server: Server | Http2Server): Socket[] {
  const sockets: Socket[] = [];
  const sessions: ServerHttp2Session[] = [];
  server.on('connection', (socket: Socket) => sockets.push(socket));
  server.on('session', (session: ServerHttp2Session) => sessions.push(session));
  running.push(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const session of sessions) session.destroy();
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return sockets;
}

export function answer500(error: any, _req: any, res: any): void {
  if (res.headersSent) return;
  res.statusCode = 500;
  res.end(`error: ${error.message}`);
}

type Listener = (req: IncomingMessage, res: ServerResponse) => unknown;

function expressApp(host: 'express 5' | 'express 4', handlers: Handler[], onError: ErrorHandler): Listener {
  const app = (host === 'express 4' ? express4 : express)();
  for (const handler of handlers) app.use(handler as never);
  // Express knows an error handler by its four parameters.
  app.use((error: unknown, req: unknown, res: unknown, _next: unknown) => onError(error, req, res));
  return app as unknown as Listener;
}

/** The few lines of Express that a chain of middlewares needs. */
function plainApp(handlers: Handler[], onError: ErrorHandler): Listener {
  return (req, res) => {
    const run = (index: number): void => {
      const next = (error?: unknown) => {
        if (error) onError(error, req, res);
        else run(index + 1);
      };
      try {
        const result = handlers[index]!(req, res, next);
        if (result instanceof Promise) result.catch(next);
      } catch (error) {
        next(error);
      }
    };
    run(0);
  };
}

/** Sends the client elsewhere, by Express's own method where there is one. */
export function redirect(res: any, to: string): void {
  if (res.redirect) return res.redirect(to);
  res.statusCode = 302;
  res.setHeader('Location', to);
  res.end(`Found. Redirecting to ${to}`);
}
