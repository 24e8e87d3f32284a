/** Who may look: the guard is asked before anything else, and again while a page is open. */
import { createHash } from 'node:crypto';
import { gate } from '../support/http.js';
import { ADMIN, closeScenes, hashOf, idOf, scene } from './support.js';

afterEach(closeScenes);

const login: import('../support/sites.js').Handler = (req, res) => {
  if (req.url === '/login') req.session.admin = true;
  if (req.url === '/demote') req.session.admin = false;
  if (req.url === '/logout') req.session.clear();
  res.end('ok');
};

const POST = { method: 'POST' };
const HOUR = 3_600_000;

describe('the guard', () => {
  test.each([
    ['the page', '', {}],
    ['the page with a slash', '/', {}],
    ['the stream', '?stream', {}],
    ['a revocation', '?revoke=0123456789ab', POST],
    ['a method that there is not', '', { method: 'PUT' }],
    ['a query that there is not', '?other', {}],
  ])('refuses %s, and says nothing', async (_, query, how) => {
    const { ask } = await scene(login);
    const { status, body, headers } = await ask(query, { headers: {}, ...how });

    expect([status, body]).toEqual([403, 'Forbidden']);
    expect(headers['cache-control']).toBe('no-store');
  });

  test.each([1, 'yes', {}, undefined, null, Promise.resolve('yes')])(
    'that gives %p, and not true, refuses',
    async (given) => {
      const { ask } = await scene(login, { guard: () => given as boolean });

      expect((await ask()).status).toBe(403);
    },
  );

  test('may take its time', async () => {
    const { opened, open } = gate();
    const { ask } = await scene(login, { guard: () => opened.then(() => true) });
    const answer = ask();
    open();

    expect((await answer).status).toBe(200);
  });

  test.each([
    ['throws', () => Promise.reject(new Error('no database'))],
    [
      'throws at once',
      () => {
        throw new Error('no database');
      },
    ],
  ])("that %s leads to the app's error handler", async (_, guard) => {
    const { ask, site } = await scene(login, { guard });
    const { status, body } = await ask();

    expect([status, body]).toEqual([500, 'error: no database']);
    expect(site.errors).toEqual([new Error('no database')]);
  });

  test('sees the session of the request', async () => {
    const { visitor } = await scene(login, { guard: (req: any) => req.session.admin === true });
    const browser = visitor();
    const before = await browser.get('/sessions');
    await browser.get('/login');

    expect([before.status, (await browser.get('/sessions')).status]).toEqual([403, 200]);
  });
});

describe('an open page', () => {
  test('is asked for again at each interval, and ended when the guard refuses', async () => {
    let mayLook = true;
    let asked = 0;
    const guard = () => {
      asked++;
      return mayLook;
    };
    const { watch } = await scene(login, { guard, checkInterval: 5 });
    const stream = watch();
    await stream.next('hello');
    await stream.next('sessions');
    while (asked < 4) await new Promise(setImmediate);
    expect(stream.text).toContain('\n\n:\n\n');
    mayLook = false;

    await stream.ended;
    expect(await watch().status).toBe(403);
  });

  test('ends with a logout of whoever looks, at once', async () => {
    const guard = (req: any) => req.session.admin === true;
    const { visitor, watch } = await scene(login, { guard, checkInterval: HOUR });
    const [browser, other] = [visitor(), visitor()];
    await browser.get('/login');
    await other.get('/login');
    const stream = watch({ cookie: browser.cookieHeader('/') });
    const bystander = watch({ cookie: other.cookieHeader('/') });
    await Promise.all([stream.next('hello'), bystander.next('hello')]);
    await browser.get('/logout');

    await stream.ended;
    await bystander.next('news', ({ events }) => events.some(({ name }: any) => name === 'destroy'));
    await other.get('/read');
    await bystander.next('news', ({ requests }) =>
      requests.some(({ target }: any) => target === 'GET /read'),
    );
  });

  test('ends when the guard would refuse what is stored of the session now', async () => {
    const guard = (req: any) => req.session.admin === true;
    const { visitor, watch } = await scene(login, { guard, checkInterval: 5 });
    const browser = visitor();
    await browser.get('/login');
    const stream = watch({ cookie: browser.cookieHeader('/') });
    await stream.next('hello');
    await browser.get('/demote');

    await stream.ended;
  });

  test('goes along with a session whose id is rotated', async () => {
    let beats = 0;
    const guard = (req: any) => {
      beats++;
      return req.session.admin === true;
    };
    const options = { rotateAfter: 1, rotateGrace: HOUR };
    const { visitor, watch } = await scene(login, { guard, options, checkInterval: 5 });
    const browser = visitor();
    await browser.get('/login');
    const before = idOf(browser);
    const stream = watch({ cookie: browser.cookieHeader('/') });
    await stream.next('hello');
    while (idOf(browser) === before) await browser.get('/read');
    const seen = beats;
    while (beats < seen + 3) await new Promise(setImmediate);
    await browser.get('/demote');

    await stream.ended;
  });

  test('ends while the guard thinks for longer than an interval', async () => {
    let asked = 0;
    const guard = () => (++asked === 1 ? true : new Promise<boolean>(() => {}));
    const { watch } = await scene(login, { guard, checkInterval: 5 });

    await watch().ended;
    expect(asked).toBe(2);
  });

  test('ends when the guard throws, which the listeners hear of', async () => {
    let asked = 0;
    const guard = () => {
      if (++asked > 1) throw new Error('no database');
      return true;
    };
    const { watch, sessions } = await scene(login, { guard, checkInterval: 5 });
    const errors: unknown[] = [];
    sessions.on('error', ({ error }) => errors.push(error));
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});

    await watch().ended;
    expect(errors).toEqual([new Error('no database')]);
    warn.mockRestore();
  });
});

describe('a revocation', () => {
  async function victim() {
    const stage = await scene(login);
    const browser = stage.visitor();
    await browser.get('/login');
    const isAlive = async () => {
      const id = idOf(browser);
      await browser.get('/login');
      return idOf(browser) === id;
    };
    return { ...stage, hash: hashOf(idOf(browser)), isAlive };
  }

  const outdated = [403, 'Not revoked: this page is out of date. Reload it, and try again.'];

  test.each([
    ['without a token', { 'x-inspector-token': '' }],
    ['with a token of nobody', { 'x-inspector-token': 'abc.def' }],
    ['with a token without its proof', { 'x-inspector-token': 'abc' }],
    ['from another site, as the browser says', { 'sec-fetch-site': 'cross-site' }],
    ['from a sibling site, as the browser says', { 'sec-fetch-site': 'same-site' }],
    ['typed in by a user, as the browser says', { 'sec-fetch-site': 'none' }],
    ['from another origin, of an old browser', { origin: 'https://evil.example' }],
    ['from an opaque origin', { origin: 'null' }],
  ])('%s is refused', async (_, headers) => {
    const { revoke, hash, isAlive } = await victim();
    const { status, body } = await revoke(hash, headers);

    expect([status, body]).toEqual(outdated);
    expect(await isAlive()).toBe(true);
  });

  test('with a token that was tampered with is refused', async () => {
    const { revoke, token, hash, isAlive } = await victim();
    const [nonce, proof] = (await token()).split('.');
    const first = await revoke(hash, { 'x-inspector-token': `x${nonce}.${proof}` });
    const second = await revoke(hash, { 'x-inspector-token': `${nonce}.${proof!.slice(1)}` });

    expect([first.status, second.status]).toEqual([403, 403]);
    expect(await isAlive()).toBe(true);
  });

  test('by GET is refused', async () => {
    const { ask, token, hash, isAlive } = await victim();
    const headers = { ...ADMIN, 'x-inspector-token': await token() };
    const { status, headers: fields } = await ask(`?revoke=${hash}`, { headers });

    expect([status, fields['allow']]).toEqual([405, 'POST']);
    expect(await isAlive()).toBe(true);
  });

  test.each([
    ['of a program', {}],
    ['of a browser', { 'sec-fetch-site': 'same-origin', origin: 'https://app.example' }],
  ])('%s, with the token of a page, ends the session', async (_, headers) => {
    const { revoke, hash, isAlive } = await victim();
    const { status, body } = await revoke(hash, headers);

    expect([status, body]).toEqual([200, 'Revoked']);
    expect(await isAlive()).toBe(false);
  });

  test('of an old browser, from the same origin, ends the session', async () => {
    const { revoke, site, hash, isAlive } = await victim();
    const { status } = await revoke(hash, { origin: `http://127.0.0.1:${site.port}` });

    expect(status).toBe(200);
    expect(await isAlive()).toBe(false);
  });

  test('of a session that was listed, and has been revoked since, finds none', async () => {
    const { revoke, watch, hash } = await victim();
    await watch().next('sessions', ({ rows }) => rows.some((row: any) => row.session === hash));
    const first = await revoke(hash);
    const second = await revoke(hash);

    expect([first.status, second.status]).toEqual([200, 404]);
  });

  test('by the page of another process with the same secret works', async () => {
    const { revoke, hash, isAlive } = await victim();
    const { token } = await scene(login);

    expect((await revoke(hash, { 'x-inspector-token': await token() })).status).toBe(200);
    expect(await isAlive()).toBe(false);
  });

  test('by the page of an app with another secret is refused', async () => {
    const { revoke, hash } = await victim();
    const { token } = await scene(login, {
      options: { secret: 'quite another secret, which is long enough' },
    });

    expect((await revoke(hash, { 'x-inspector-token': await token() })).status).toBe(403);
  });
});

describe('what is served', () => {
  test('has headers that leave a foreign script nothing to do', async () => {
    const { ask } = await scene(login);
    const { headers, body } = await ask();
    const sourceOf = (name: string) => {
      const text = new RegExp(`<${name}>([^]*)</${name}>`).exec(body)![1]!;
      return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
    };

    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy':
        `default-src 'none'; script-src ${sourceOf('script')}; style-src ${sourceOf('style')}; ` +
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
        "require-trusted-types-for 'script'; trusted-types 'none'",
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    });
    expect(body.match(/<script|\bon\w+=|style=|innerHTML|javascript:/g)).toEqual(['<script']);
  });

  test('gives each page a token of its own', async () => {
    const { token } = await scene(login);
    const [one, two] = [await token(), await token()];

    expect(one).toMatch(/^[\w-]{24}\.[\w-]{43}$/);
    expect(one).not.toBe(two);
  });

  test.each(['PUT', 'POST', 'DELETE'])('is not for %s', async (method) => {
    const { ask } = await scene(login);
    const { status, headers, body } = await ask('', { method });

    expect([status, headers['allow'], body]).toEqual([405, 'GET, HEAD', 'Method not allowed']);
  });

  test.each(['', '?stream'])('to HEAD of "%s" is the head', async (query) => {
    const { ask } = await scene(login);
    const { status, body } = await ask(query, { method: 'HEAD' });

    expect([status, body]).toEqual([200, '']);
  });
});
