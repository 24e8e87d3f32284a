import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { passTime } from './clock.js';
import type { Action, Body, Ending, RequestSpec } from './scenario.js';
import type { Next, Request } from './subjects.js';

/** What the app saw after one of its actions. */
export interface LogEntry {
  action: string;
  /** What the action read, was called back with, or threw. */
  outcome: unknown;
  /** What the method returned, by kind. */
  returned?: string;
  sessionID: unknown;
  id: unknown;
  session: string | undefined;
}

/** Plays the script of a request, as an app's handler would. Rejects where the script throws. */
export async function serve(
  script: RequestSpec,
  req: Request,
  res: ServerResponse,
  next: Next,
  log: LogEntry[],
): Promise<void> {
  log.push({ action: 'begin', outcome: null, ...look(req) });
  await performAll(script.actions, req, res, log);
  await end(script.ending, req, res, next, log);
}

async function performAll(
  actions: Action[],
  req: Request,
  res: ServerResponse,
  log: LogEntry[],
): Promise<void> {
  for (const action of actions) {
    const done = attempt(() => perform(action, req, res));
    // Awaited only where there is something to wait for: a handler without such actions runs in one go.
    const result = done instanceof Promise ? await done : done;
    log.push({ action: action.do, ...result, ...look(req) });
  }
}

/** The session as the app sees it. */
function look(req: Request): Pick<LogEntry, 'sessionID' | 'id' | 'session'> {
  return { sessionID: req['sessionID'], id: req['session']?.id, session: toJSON(req['session']) };
}

function toJSON(session: unknown): string | undefined {
  try {
    return JSON.stringify(session);
  } catch (error) {
    return String(error);
  }
}

interface Result {
  outcome: unknown;
  returned?: string;
}

function attempt(run: () => Result | Promise<Result>): Result | Promise<Result> {
  try {
    return run();
  } catch (error) {
    return { outcome: `threw ${String(error)}` };
  }
}

function perform(action: Action, req: Request, res: ServerResponse): Result | Promise<Result> {
  const session = req['session'];
  switch (action.do) {
    case 'header':
      res.setHeader(action.name, action.value);
      return { outcome: null };
    case 'turn':
      return new Promise((resolve) => setImmediate(resolve, { outcome: null }));
    case 'tick':
      return Promise.resolve({ outcome: null });
    case 'clock':
      passTime(action.ms);
      return { outcome: null };
    case 'sessionID':
      req['sessionID'] = action.value;
      return { outcome: null };
    case 'generate':
      req['sessionStore']?.generate(req);
      return { outcome: null };
  }
  return session == null ? { outcome: 'no session' } : performOnSession(action, req, session);
}

type SessionAction = Exclude<Action, { do: 'header' | 'turn' | 'tick' | 'clock' | 'sessionID' | 'generate' }>;

function performOnSession(
  action: SessionAction,
  req: Request,
  session: Record<string, any>,
): Result | Promise<Result> {
  switch (action.do) {
    case 'read':
      return { outcome: JSON.stringify(session[action.key]) };
    case 'write':
      session[action.key] = structuredClone(action.value);
      return { outcome: null };
    case 'nested':
      if (typeof session[action.key] !== 'object' || session[action.key] === null) session[action.key] = {};
      session[action.key].member = structuredClone(action.value);
      return { outcome: null };
    case 'same':
      if (Object.hasOwn(session, action.key)) session[action.key] = structuredClone(session[action.key]);
      return { outcome: null };
    case 'remove':
      delete session[action.key];
      return { outcome: null };
    case 'regenerate':
    case 'destroy':
    case 'reload':
    case 'save':
      return callback(session, action.do);
    case 'save, unheeded':
      session['save']();
      return { outcome: null };
    case 'destroy, unheeded':
      session['destroy']();
      return { outcome: null };
    case 'touch':
    case 'resetMaxAge':
      return { outcome: null, returned: kind(session[action.do](), session) };
    case 'null':
      req['session'] = null;
      return { outcome: null };
    case 'delete':
      delete req['session'];
      return { outcome: null };
    case 'cookie':
      session['cookie'][action.property] = action.value;
      return { outcome: null };
    case 'cookie expires':
      session['cookie'].expires =
        typeof action.in === 'number' ? new Date(Date.now() + action.in) : action.in;
      return { outcome: null };
  }
}

function callback(session: Record<string, any>, method: string): Promise<Result> {
  return new Promise((resolve) => {
    let returned = 'called back first';
    // Which falsy value says that there was no error is the store's own affair.
    const outcome = (error?: Error) => {
      setImmediate(() => resolve({ outcome: error ? error.toString() : 'no error', returned }));
    };
    returned = kind(session[method](outcome), session);
  });
}

function kind(value: unknown, session: unknown): string {
  return value === session ? 'the session' : typeof value;
}

async function end(
  ending: Ending,
  req: Request,
  res: ServerResponse,
  next: Next,
  log: LogEntry[],
): Promise<void> {
  switch (ending.by) {
    case 'end':
      res.statusCode = ending.status ?? 200;
      finish(res, ending.body);
      if (ending.twice) res.end();
      return;
    case 'length':
      res.setHeader('Content-Length', bytes(ending.body).length);
      finish(res, ending.body);
      return;
    case 'writeHead':
      writeHead(res, ending);
      await performAll(ending.meanwhile ?? [], req, res, log);
      finish(res, ending.body);
      return;
    case 'flushHeaders':
      res.flushHeaders();
      finish(res, ending.body);
      return;
    case 'stream':
      for (const { text, meanwhile } of ending.parts) {
        res.write(text);
        await performAll(meanwhile, req, res, log);
      }
      finish(res, ending.last);
      return;
    case 'pipe':
      Readable.from(ending.text.split(' ')).pipe(res);
      return;
    case 'redirect':
    case 'send':
    case 'json':
    case 'sendStatus':
      answer(ending, res);
      return;
    case 'throw':
      throw new Error(ending.message);
    case 'next':
      next(ending.message === undefined ? undefined : new Error(ending.message));
  }
}

type ExpressEnding = Extract<Ending, { by: 'redirect' | 'send' | 'json' | 'sendStatus' }>;

/** By Express's own methods, or on plain node:http by what comes nearest. */
function answer(ending: ExpressEnding, res: ServerResponse & Record<string, any>): void {
  const isExpress = typeof res['send'] === 'function';
  switch (ending.by) {
    case 'redirect':
      if (isExpress) res['redirect'](ending.to);
      else res.writeHead(302, { Location: ending.to }).end();
      return;
    case 'send':
      res.statusCode = ending.status ?? 200;
      if (isExpress) res['send'](ending.text);
      else res.end(ending.text);
      return;
    case 'json':
      if (isExpress) res['json'](ending.value);
      else res.setHeader('Content-Type', 'application/json').end(JSON.stringify(ending.value));
      return;
    case 'sendStatus':
      if (isExpress) res['sendStatus'](ending.status);
      else res.writeHead(ending.status).end();
  }
}

function writeHead(
  res: ServerResponse,
  { status, reason, headers }: Extract<Ending, { by: 'writeHead' }>,
): void {
  if (reason !== undefined) res.writeHead(status, reason, headers as never);
  else res.writeHead(status, headers as never);
}

function finish(res: ServerResponse, body: Body): void {
  if (body === null) res.end();
  else if ('base64' in body) res.end(bytes(body));
  else if (body.encoding) res.end(body.text, body.encoding);
  else res.end(body.text);
}

function bytes(body: Body): Buffer {
  if (body === null) return Buffer.alloc(0);
  return 'base64' in body ? Buffer.from(body.base64, 'base64') : Buffer.from(body.text, body.encoding);
}
