import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { gate, RawClient, turn } from '../support/http.js';
import { begin, combine, dataSeenBy, type Fixture, start as startSite } from '../support/lifecycle.js';
import { closeSites, type Handler, HOSTS, HTTP1_HOSTS } from '../support/sites.js';
import { GATED_STORES, STORES } from '../support/test-stores.js';

afterEach(closeSites);

const COOKIE = /\r\nSet-Cookie: connect\.sid=s%3A/;

describe.each(combine(HTTP1_HOSTS, GATED_STORES))('%s, %s', (host, store) => {
  const start = (handler: Handler): Promise<Fixture> => startSite({ host, store, after: [handler] });
  const ask = (fixture: Fixture): RawClient =>
    new RawClient(fixture.site.port).get('/', { Cookie: fixture.browser.cookieHeader('/') });

  test('L5: what was written leaves at once, the end only when what changed is stored', async () => {
    const fixture = await start((req, res) => {
      res.write('one');
      req.session.between = 1;
      res.write('two');
      req.session.last = 2;
      res.end('three');
    });
    await begin(fixture);
    const held = fixture.traffic.hold('set');
    const client = ask(fixture);
    await held.reached;
    await client.until('3\r\none\r\n3\r\ntwo\r\n');
    await turn();
    expect(client.received).toMatch(/\r\n\r\n3\r\none\r\n3\r\ntwo\r\n$/);
    expect(fixture.onlyData()).toEqual({ user: 'ada' });
    held.open();
    expect(await client.closed).toMatch(/\r\n\r\n3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n$/);
    expect(fixture.onlyData()).toEqual({ user: 'ada', between: 1, last: 2 });
  });

  test('L5: with Content-Length too, and an end without text', async () => {
    const fixture = await start((req, res) => {
      res.setHeader('Content-Length', 6);
      res.write('one');
      res.write('two');
      req.session.changed = true;
      res.end();
    });
    await begin(fixture);
    const held = fixture.traffic.hold('set');
    const client = ask(fixture);
    await held.reached;
    await client.until('onetwo');
    expect(fixture.site.sockets.at(-1)?.writableEnded).toBe(false);
    held.open();
    expect(await client.closed).toMatch(/\r\nContent-Length: 6\r\n[\s\S]*\r\n\r\nonetwo$/);
    expect(fixture.onlyData()).toEqual({ user: 'ada', changed: true });
  });

  test('L5: a stream piped into the response', async () => {
    const more = gate();
    const fixture = await start((req, res) => {
      const parts = async function* () {
        yield 'one';
        await more.opened;
        req.session.changed = 'while piping';
        yield 'two';
      };
      Readable.from(parts()).pipe(res);
    });
    await begin(fixture);
    const held = fixture.traffic.hold('set');
    const client = ask(fixture);
    await client.until('3\r\none\r\n');
    more.open();
    await held.reached;
    await client.until('3\r\ntwo\r\n');
    expect(client.received).not.toContain('0\r\n\r\n');
    held.open();
    expect(await client.closed).toMatch(/3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n$/);
    expect(fixture.onlyData()).toEqual({ user: 'ada', changed: 'while piping' });
  });

  test('L5: stream.pipeline() is done when the end has left', async () => {
    const done = gate();
    const log: string[] = [];
    const fixture = await start(async (req, res) => {
      req.session.changed = true;
      res.on('finish', () => log.push('finish'));
      await pipeline(Readable.from(['one', 'two']), res);
      log.push('pipeline');
      done.open();
    });
    await begin(fixture);
    const held = fixture.traffic.hold('set');
    const client = ask(fixture);
    await held.reached;
    await turn();
    expect(log).toEqual([]);
    held.open();
    await done.opened;
    expect(log).toEqual(['finish', 'pipeline']);
    expect(await client.closed).toMatch(/3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n$/);
  });

  test('L5: server-sent events', async () => {
    const more = gate();
    const fixture = await start(async (req, res) => {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' });
      res.flushHeaders();
      await more.opened;
      res.write('data: 1\n\n');
      req.session.seen = 1;
      res.end();
    });
    await begin(fixture);
    const held = fixture.traffic.hold('set');
    const client = ask(fixture);
    await client.until('\r\n\r\n');
    more.open();
    await client.until('data: 1\n\n');
    await held.reached;
    held.open();
    expect(await client.closed).toMatch(/9\r\ndata: 1\n\n\r\n0\r\n\r\n$/);
    expect(fixture.onlyData()).toEqual({ user: 'ada', seen: 1 });
  });

  test('L5: the first write fixes the cookie: a session filled before it gets one', async () => {
    const fixture = await start((req, res) => {
      req.session.before = true;
      res.write('one');
      req.session.after = true;
      res.end('two');
    });
    const held = fixture.traffic.hold('set');
    const client = ask(fixture);
    await held.reached;
    expect(await client.until('one')).toMatch(COOKIE);
    held.open();
    await client.closed;
    expect(fixture.onlyData()).toEqual({ before: true, after: true });
  });

  test('L5: the first write fixes the cookie: a session filled after it gets none, and is stored all the same', async () => {
    const fixture = await start((req, res) => {
      res.write('one');
      req.session.after = true;
      res.end('two');
    });
    const client = ask(fixture);
    expect(await client.closed).not.toMatch(COOKIE);
    expect(fixture.onlyData()).toEqual({ after: true });
  });

  test('L5: a session regenerated after the first write keeps its new record, and its browser the old cookie', async () => {
    const fixture = await start(async (req, res) => {
      res.write('one');
      await req.session.regenerate();
      req.session.after = true;
      res.end('two');
    });
    await begin(fixture);
    expect(await ask(fixture).closed).not.toMatch(COOKIE);
    expect(fixture.onlyData()).toEqual({ after: true });
  });
});

describe.each(combine(HOSTS, STORES))('%s, %s', (host, store) => {
  test('L5: changed between writes', async () => {
    const fixture = await startSite({
      host,
      store,
      after: [
        (req, res) => {
          req.session.first = 1;
          res.write('one');
          req.session.second = 2;
          res.end('two');
        },
      ],
    });
    const { body, setCookie } = await fixture.browser.get('/');
    expect(body).toBe('onetwo');
    expect(setCookie).toHaveLength(1);
    expect(await dataSeenBy(fixture.browser)).toEqual({ first: 1, second: 2 });
  });

  test('L5: a stream piped into the response', async () => {
    const fixture = await startSite({
      host,
      store,
      after: [
        (req, res) => {
          req.session.count = 0;
          const parts = async function* () {
            for (const part of ['a', 'b', 'c']) {
              req.session.count++;
              yield part;
              await turn();
            }
          };
          Readable.from(parts()).pipe(res);
        },
      ],
    });
    const { body, setCookie } = await fixture.browser.get('/');
    expect(body).toBe('abc');
    expect(setCookie).toHaveLength(1);
    expect(await dataSeenBy(fixture.browser)).toEqual({ count: 3 });
  });
});
