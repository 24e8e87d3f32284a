import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import session from '../../lib/index.js';
import { Log, type Recipe } from '../support/comparison.js';
import { gate, turn } from '../support/http.js';
import { baseOptions } from '../support/lifecycle.js';
import { ends, headers, heads, writes } from '../support/recipes.js';
import { closeSites, type Handler, serve } from '../support/sites.js';
import { makeStore } from '../support/test-stores.js';

afterEach(closeSites);

interface Outcome {
  /** Header fields, informational ones included, in the order in which they came. */
  fields: unknown[];
  body: string;
  log: string[];
  cookies: string[];
}

/** Plays a recipe on an HTTP/2 server, and tells what the client and the app have seen. */
async function play(recipe: Recipe, sessions: Handler[], method = 'GET'): Promise<Outcome> {
  let log: string[] = [];
  const closed = gate();
  const answer: Handler = (req, res) => {
    const noted = new Log(res);
    log = noted.entries;
    for (const event of ['error', 'finish', 'close']) res.on(event, () => noted.note(`event ${event}`));
    res.once('close', closed.open);
    return recipe({ req, res, log: noted });
  };
  const site = await serve('http/2', [...sessions, answer]);
  const client = connect(`http://127.0.0.1:${site.port}`);
  const seen = await receive(client, client.request({ ':method': method }));
  await closed.opened;
  await turn();
  client.destroy();
  return { ...seen, log };
}

async function receive(
  client: ClientHttp2Session,
  stream: ClientHttp2Stream,
): Promise<Pick<Outcome, 'fields' | 'body' | 'cookies'>> {
  const fields: unknown[] = [];
  const cookies: string[] = [];
  for (const event of ['headers', 'response', 'trailers']) {
    stream.on(event, (found) => fields.push([event, withoutOurs(found, cookies)]));
  }
  let body = '';
  stream.setEncoding('latin1');
  stream.on('data', (text: string) => {
    body += text;
  });
  await new Promise<void>((resolve, reject) => {
    stream.on('close', resolve);
    stream.on('error', reject);
    client.on('error', reject);
  });
  return { fields, body, cookies };
}

function withoutOurs(found: Record<string, unknown>, cookies: string[]): [string, unknown][] {
  return Object.entries(found).flatMap(([name, value]): [string, unknown][] => {
    if (name === 'date') return [];
    if (name !== 'set-cookie') return [[name, value]];
    const lines = value as string[];
    cookies.push(...lines.filter((line) => line.startsWith('connect.sid=')));
    const others = lines.filter((line) => !line.startsWith('connect.sid='));
    return others.length > 0 ? [[name, others]] : [];
  });
}

/** HTTP/2 has no reason and no connection, and ends a 204 by itself: Node refuses these, warns, or takes them otherwise. */
const notInHttp2: string[] = [
  ...['writeHead(status, reason)', 'writeHead(status, reason, headers)', "writeHead(status as text, '')"],
  ...['headers by setHeader() and writeHead()', 'statusCode and statusMessage', 'writeProcessing()'],
  ...['no Date, Connection of its own', 'Transfer-Encoding: chunked and end(text)', '204 with a body'],
];

const recipes = Object.entries({ ...ends, ...writes, ...heads, ...headers }).filter(
  ([name]) => !notInHttp2.includes(name),
);

function sessionsOf(act: (session: any) => void, options: session.SessionOptions): Handler[] {
  const { store } = makeStore('callback store');
  const change: Handler = (req, _res, next) => {
    act(req.session);
    next();
  };
  return [session({ ...baseOptions, store, ...options }), change];
}

const histories: [string, (session: any) => void, session.SessionOptions, number][] = [
  ['untouched', () => {}, {}, 0],
  ['changed', (data) => (data.color = 'red'), {}, 1],
  ['untouched, stored all the same', () => {}, { saveUninitialized: true }, 1],
];

describe.each(histories)('http/2, a new session, %s', (_history, act, options, cookies) => {
  test.each(recipes)('L9: as plain node:http2: %s', async (_name, recipe) => {
    const plain = await play(recipe, []);
    const ours = await play(recipe, sessionsOf(act, options));
    expect(ours).toEqual({ ...plain, cookies: ours.cookies });
    expect(ours.cookies).toHaveLength(cookies);
  });

  test.each(['end(text, callback)', 'Content-Length and end(text)', 'a redirect', '204'])(
    'L9: as plain node:http2, HEAD: %s',
    async (name) => {
      const recipe = { ...ends, ...heads, ...headers }[name]!;
      const plain = await play(recipe, [], 'HEAD');
      const ours = await play(recipe, sessionsOf(act, options), 'HEAD');
      expect(ours).toEqual({ ...plain, cookies: ours.cookies });
      expect(ours.cookies).toHaveLength(cookies);
    },
  );
});
