import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { compileLib, nodeModules } from '../support/compile.js';
import { type Exchange, RawClient, turn } from '../support/http.js';
import { begin, combine, dataSeenBy, type Fixture, start as startSite } from '../support/lifecycle.js';
import { closeSites, type Handler, HOSTS, HTTP1_HOSTS, redirect } from '../support/sites.js';
import { GATED_STORES, type HeldCall, type Operation } from '../support/test-stores.js';

afterEach(closeSites);

/** What an app does with its session before it answers, and the call of the store that the answer has to wait for. */
interface Case {
  name: string;
  handler: Handler;
  waitsFor: Operation;
  /** What the next request then finds. */
  finds: Record<string, unknown>;
}

const cases: Case[] = [
  {
    name: 'a change and a redirect',
    handler: (req, res) => {
      req.session.color = 'red';
      redirect(res, '/next');
    },
    waitsFor: 'set',
    finds: { user: 'ada', color: 'red' },
  },
  {
    name: 'a change and end(text)',
    handler: (req, res) => {
      req.session.color = 'red';
      res.end('text');
    },
    waitsFor: 'set',
    finds: { user: 'ada', color: 'red' },
  },
  {
    name: 'save(), not waited for, and a redirect',
    handler: (req, res) => {
      req.session.color = 'red';
      req.session.save();
      redirect(res, '/next');
    },
    waitsFor: 'set',
    finds: { user: 'ada', color: 'red' },
  },
  {
    name: 'a change, regenerate(callback), not waited for, and a redirect',
    handler: (req, res) => {
      req.session.color = 'red';
      req.session.regenerate(() => {});
      redirect(res, '/next');
    },
    waitsFor: 'set',
    finds: {},
  },
  {
    name: 'destroy(), not waited for, and a redirect',
    handler: (req, res) => {
      req.session.destroy();
      redirect(res, '/next');
    },
    waitsFor: 'destroy',
    finds: {},
  },
  {
    name: 'clear() and a redirect',
    handler: (req, res) => {
      req.session.clear();
      redirect(res, '/next');
    },
    waitsFor: 'destroy',
    finds: {},
  },
  {
    name: 'regenerate() in a callback, a change and a redirect',
    handler: (req, res) => {
      req.session.regenerate(() => {
        req.session.user = 'bob';
        redirect(res, '/next');
      });
    },
    waitsFor: 'set',
    finds: { user: 'bob' },
  },
  {
    name: "a save() that the session's own touch() begins",
    handler: (req, res) => {
      Object.defineProperty(req.session, 'touch', {
        value(this: any) {
          this.seen = true;
          this.save();
          return this.resetMaxAge();
        },
      });
      redirect(res, '/next');
    },
    waitsFor: 'set',
    finds: { user: 'ada', seen: true },
  },
  {
    name: 'no change: the touch',
    handler: (_req, res) => redirect(res, '/next'),
    waitsFor: 'touch',
    finds: { user: 'ada' },
  },
];

describe.each(combine(HTTP1_HOSTS, GATED_STORES))('%s, %s', (host, store) => {
  const start = (handler: Handler): Promise<Fixture> => startSite({ host, store, after: [handler] });

  /** Asks for a page by a bare socket, and waits until the store is called. */
  async function ask(fixture: Fixture, held: HeldCall): Promise<RawClient> {
    const client = new RawClient(fixture.site.port).get('/', { Cookie: fixture.browser.cookieHeader('/') });
    await held.reached;
    return client;
  }

  test.each(cases)('L4: no byte leaves before the store has answered: $name', async (each) => {
    const fixture = await start(each.handler);
    await begin(fixture);
    const held = fixture.traffic.hold(each.waitsFor);
    const client = await ask(fixture, held);
    await turn();
    await turn();
    expect(fixture.site.sockets.at(-1)?.bytesWritten).toBe(0);
    expect(client.received).toBe('');
    held.open();
    expect(await client.closed).toMatch(/^HTTP\/1\.1 (200 OK|302 Found)\r\n/);
  });

  test.each(cases)('L4: whoever sees the headers finds what was stored: $name', async (each) => {
    const fixture = await start(each.handler);
    await begin(fixture);
    const held = fixture.traffic.hold(each.waitsFor);
    const exchange = fixture.browser.start('/');
    await held.reached;
    held.open();
    await exchange.head;
    expect(await dataSeenBy(fixture.browser)).toEqual(each.finds);
  });

  test('L4: a new session, whose cookie is in the headers', async () => {
    const fixture = await start(cases[0]!.handler);
    const held = fixture.traffic.hold('set');
    const client = await ask(fixture, held);
    expect(fixture.site.sockets.at(-1)?.bytesWritten).toBe(0);
    held.open();
    const received = await client.closed;
    expect(received).toMatch(/^HTTP\/1\.1 302 Found\r\n(.*\r\n)*Set-Cookie: connect\.sid=s%3A/);
    expect(fixture.onlyData()).toEqual({ color: 'red' });
  });

  test('L4: the cookie is among the headers when they leave, and not before', async () => {
    const seen: boolean[] = [];
    const fixture = await start((req, res) => {
      req.session.color = 'red';
      res.on('finish', () => seen.push(res.hasHeader('set-cookie')));
      res.end('text');
      seen.push(res.hasHeader('set-cookie'));
    });
    await fixture.browser.get('/');
    expect(seen).toEqual([false, true]);
  });

  test('L4: writeHead() and end()', async () => {
    const fixture = await start((req, res) => {
      req.session.color = 'red';
      res.writeHead(302, { Location: '/next' });
      req.session.size = 'large';
      res.end();
    });
    const held = fixture.traffic.hold('set');
    const client = await ask(fixture, held);
    await turn();
    expect(fixture.site.sockets.at(-1)?.bytesWritten).toBe(0);
    held.open();
    expect(await client.closed).toMatch(
      /^HTTP\/1\.1 302 Found\r\nLocation: \/next\r\n|\r\nLocation: \/next\r\n/,
    );
    expect(fixture.onlyData()).toEqual({ color: 'red', size: 'large' });
  });

  test('L4: the end waits for each of several operations that nobody waited for', async () => {
    const fixture = await start((req, res) => {
      req.session.a = 1;
      req.session.save();
      req.session.reload();
      res.end('text');
    });
    await begin(fixture);
    const save = fixture.traffic.hold('set');
    const load = fixture.traffic.hold('get'); // the one that begins the request
    const client = new RawClient(fixture.site.port).get('/', { Cookie: fixture.browser.cookieHeader('/') });
    await load.reached;
    const reload = fixture.traffic.hold('get');
    load.open();
    await Promise.all([save.reached, reload.reached]);
    save.open();
    await turn();
    await turn();
    expect(fixture.site.sockets.at(-1)?.bytesWritten).toBe(0);
    reload.open();
    expect(await client.closed).toMatch(/\r\n\r\ntext$/);
  });

  test('L4: a server that closes its idle connections leaves the one whose response is held', async () => {
    let closeIdleConnections: (() => void) | undefined;
    const fixture = await start((req, res) => {
      closeIdleConnections = () => req.socket.server.closeIdleConnections();
      req.session.color = 'red';
      res.end('text');
    });
    const held = fixture.traffic.hold('set');
    const client = await ask(fixture, held);
    closeIdleConnections?.();
    await turn();
    held.open();
    expect(await client.closed).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*text$/);
  });

  test('L4: bytes that end() was given are read when it is released', async () => {
    const fixture = await start((_req, res) => {
      const bytes = Buffer.from('text');
      res.end(bytes);
      bytes.fill('X');
    });
    await begin(fixture);
    expect(await fixture.browser.get('/')).toMatchObject({ body: 'XXXX' });
  });

  test('L4: flushHeaders() is the wish to send the headers before all is stored', async () => {
    const fixture = await start((req, res) => {
      req.session.color = 'red';
      res.flushHeaders();
      res.end('text');
    });
    const held = fixture.traffic.hold('set');
    const client = await ask(fixture, held);
    expect(await client.until('\r\n\r\n')).toMatch(/\r\nSet-Cookie: connect\.sid=s%3A[\s\S]*\r\n\r\n$/);
    expect(client.received).not.toContain('text');
    held.open();
    expect(await client.closed).toMatch(/\r\n\r\n4\r\ntext\r\n0\r\n\r\n$/);
  });
});

describe.each(GATED_STORES)('http/2, %s', (store) => {
  const start = (handler: Handler): Promise<Fixture> =>
    startSite({ host: 'http/2', store, after: [(_req, res, next) => seen(res, next), handler] });

  let headersSent: () => boolean;
  function seen(res: any, next: () => void): void {
    headersSent = () => res.stream.headersSent;
    next();
  }

  test.each(cases)('L4: no header leaves before the store has answered: $name', async (each) => {
    const fixture = await start(each.handler);
    await begin(fixture);
    const held = fixture.traffic.hold(each.waitsFor);
    const exchange: Exchange = fixture.browser.start('/');
    await held.reached;
    await turn();
    await turn();
    expect(headersSent()).toBe(false);
    held.open();
    await exchange.head;
    expect(await dataSeenBy(fixture.browser)).toEqual(each.finds);
  });
});

describe.each(combine(HOSTS, ['MemoryStore'] as const))('%s, %s', (host, store) => {
  test.each(cases)('L4: whoever sees the headers finds what was stored: $name', async (each) => {
    const fixture = await startSite({ host, store, after: [each.handler] });
    await begin(fixture);
    await fixture.browser.start('/').head;
    expect(await dataSeenBy(fixture.browser)).toEqual(each.finds);
  });
});

describe('a process that exits', () => {
  const compiled = compileLib();
  afterAll(() => compiled.remove());

  /** The body that a process of its own sends, or none; its session is untouched. */
  async function bodyOf(handler: string): Promise<string | undefined> {
    const program = `const sessions = require('./index.js')({ secret: 's', resave: false, saveUninitialized: false });
      const handler = ${handler};
      const server = require('node:http').createServer((req, res) => sessions(req, res, () => handler(res)));
      server.listen(0, '127.0.0.1', () => console.log(server.address().port));`;
    const env = { ...process.env, NODE_PATH: nodeModules };
    const child = spawn(process.execPath, ['-e', program], { cwd: compiled.dir, env });
    const [port] = await once(child.stdout, 'data');
    const ended = once(child, 'exit');
    const answer = await fetch(`http://127.0.0.1:${Number(port)}/`).catch(() => undefined);
    const body = await answer?.text();
    await ended;
    return body;
  }

  test.each([
    ['right after end(): the response is lost', "(res) => { res.end('text'); process.exit(); }", undefined],
    ['after finish', "(res) => { res.on('finish', () => process.exit()); res.end('text'); }", 'text'],
  ])('L4: %s', async (_, handler, body) => {
    expect(await bodyOf(handler)).toBe(body);
  });
});
