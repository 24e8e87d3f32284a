import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import request from 'supertest';
import { createApp } from '../examples/demo/app.js';
import { html } from '../examples/demo/html.js';
import session from '../lib/index.js';
import { launchBrowser, newVisitor, type Visitor } from './support/browser.js';
import { describeWith, freePort } from './support/servers.js';

const SECRET = 'only for the tests of the demo, long enough';
const LIFETIME = 300_000;
const HOSTILE = '<script>document.title = "hacked"</script>"\'&';

jest.setTimeout(60_000);

describe('the demo over plain HTTP', () => {
  test('counts visits in one session, whose cookie it rolls on each request', async () => {
    const { agent, store } = demo();
    const first = await agent.get('/');
    const second = await agent.get('/');

    expect([first, second].map(({ text }) => visits(text))).toEqual([1, 2]);
    expect(cookieValue(second)).toBe(cookieValue(first));
    expect(store.ids()).toHaveLength(1);
  });

  test('sends a cookie that scripts and cross-site forms do without, for five minutes', async () => {
    const { agent } = demo();
    const before = Date.now();
    const response = await agent.get('/');
    const [, ...attributes] = setCookie(response).split('; ');
    const expires = Date.parse(
      attributes.find((text) => text.startsWith('Expires='))!.slice('Expires='.length),
    );

    expect(attributes.map((text) => text.replace(/^Expires=.*/, 'Expires'))).toEqual([
      'Path=/',
      'Expires',
      'HttpOnly',
      'SameSite=Lax',
    ]);
    // Set-Cookie has whole seconds.
    expect(expires).toBeGreaterThan(before + LIFETIME - 1000);
    expect(expires).toBeLessThanOrEqual(Date.now() + LIFETIME);
  });

  test('keeps pages out of caches and foreign scripts and frames out of pages', async () => {
    const { agent } = demo();
    const { headers, text } = await agent.get('/');

    expect(headers['content-security-policy']).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['referrer-policy']).toBe('same-origin');
    expect(headers['cache-control']).toBe('no-store');
    expect(headers).not.toHaveProperty('x-powered-by');
    expect(text.match(/<script[^>]*>[^<]*/g)).toEqual(['<script type="module" src="/countdown.js">']);
    expect(text).not.toMatch(/\son\w+=|\sstyle=/);
  });

  test('serves its files without asking the store or sending a cookie', async () => {
    const { agent, store } = demo();
    await agent.get('/');
    store.calls.length = 0;

    for (const file of ['/style.css', '/countdown.js', '/favicon.svg']) {
      const response = await agent.get(file);
      expect([file, response.status, response.headers['set-cookie']]).toEqual([file, 200, undefined]);
    }
    expect(store.calls).toEqual([]);
  });

  test('the session page looks and counts nothing', async () => {
    const { agent } = demo();
    await agent.get('/');
    const { text } = await agent.get('/session');

    expect(text).toContain('&quot;visits&quot;: 1,');
    expect(visits((await agent.get('/')).text)).toBe(2);
  });

  test.each(['/session', '/cleared', '/nowhere', '/style.css'])('%s starts no session', async (path) => {
    const { agent, store } = demo();
    const response = await agent.get(path);

    expect(response.headers).not.toHaveProperty('set-cookie');
    expect(store.ids()).toEqual([]);
  });

  test('a page that does not exist is a 404', async () => {
    const response = await demo().agent.get('/nowhere');

    expect(response.status).toBe(404);
    expect(response.text).toContain('There is no such page in this demo.');
  });

  test('signing in moves the visits to a new session and deletes the old one', async () => {
    const { agent, store, post } = demo();
    const before = await agent.get('/');
    const [oldId] = store.ids();
    const response = await post('/login', { name: ' Ada ' });

    expect([response.status, response.headers['location']]).toEqual([302, '/']);
    expect(cookieValue(response)).not.toBe(cookieValue(before));
    expect(store.ids()).toHaveLength(1);
    expect(store.ids()).not.toContain(oldId);

    const { text } = await agent.get('/');
    expect(text).toContain('as <strong id="user">Ada</strong>');
    expect(flash(text)).toMatch(
      /^Welcome, Ada\. Your session got a new id: [0-9a-f]{8} became [0-9a-f]{8}\.$/,
    );
    expect(visits(text)).toBe(3); // one here, one to get the form, one now
  });

  test('signing out leaves an empty session under a new id', async () => {
    const { agent, store, post } = demo();
    await post('/login', { name: 'Ada' });
    const [oldId] = store.ids();
    const response = await post('/logout');

    expect([response.status, response.headers['location']]).toEqual([302, '/']);
    expect(store.ids()).toHaveLength(1);
    expect(store.ids()).not.toContain(oldId);

    const { text } = await agent.get('/');
    expect(flash(text)).toBe('Goodbye, Ada. The session you had is destroyed.');
    expect(visits(text)).toBe(1);
    expect(text).not.toContain('id="user"');
  });

  test('signing out without having signed in says goodbye to nobody', async () => {
    const { agent, post } = demo();
    await post('/logout');

    expect(flash((await agent.get('/')).text)).toBe('Goodbye. The session you had is destroyed.');
  });

  test('a message shows once', async () => {
    const { agent, post } = demo();
    await post('/message', { text: 'hello' });

    expect(flash((await agent.get('/')).text)).toBe('You wrote: hello');
    expect(flash((await agent.get('/')).text)).toBeUndefined();
  });

  test.each([
    ['an empty name', '/login', { name: '' }, 'Please give a name of 1 to 40 characters.'],
    ['no name', '/login', {}, 'Please give a name of 1 to 40 characters.'],
    ['two names', '/login', { name: ['Ada', 'Bob'] }, 'Please give a name of 1 to 40 characters.'],
    ['a long name', '/login', { name: 'x'.repeat(41) }, 'Please give a name of 1 to 40 characters.'],
    ['blanks', '/message', { text: '   ' }, 'Please write a message of 1 to 200 characters.'],
    [
      'a long message',
      '/message',
      { text: 'x'.repeat(201) },
      'Please write a message of 1 to 200 characters.',
    ],
  ])('%s is a problem that the next page tells', async (_what, path, fields, expected) => {
    const { agent, post } = demo();
    const response = await post(path, fields);
    const { text } = await agent.get('/');

    expect(response.status).toBe(302);
    expect(flash(text)).toBe(expected);
    expect(text).not.toContain('id="user"');
  });

  test('the longest name and message are taken', async () => {
    const { agent, post } = demo();
    await post('/login', { name: 'x'.repeat(40) });
    expect((await agent.get('/')).text).toContain(`<strong id="user">${'x'.repeat(40)}</strong>`);
    await post('/message', { text: 'x'.repeat(200) });
    expect(flash((await agent.get('/')).text)).toBe(`You wrote: ${'x'.repeat(200)}`);
  });

  test('clearing deletes the record and expires the cookie', async () => {
    const { agent, store, post } = demo();
    const response = await post('/clear');

    expect([response.status, response.headers['location']]).toEqual([302, '/cleared']);
    expect(setCookie(response)).toBe(
      'demo.sid=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax',
    );
    expect(store.ids()).toEqual([]);

    const { text } = await agent.get('/cleared');
    expect(text).toContain('Your session is gone');
    expect(text).toContain('<strong id="sent-cookie">none</strong>');
  });

  test('the page after clearing tells whoever has a session that it is there', async () => {
    const { agent } = demo();
    await agent.get('/');
    const { text } = await agent.get('/cleared');

    expect(text).toContain('You have a session');
    expect(text).toContain('<strong id="sent-cookie">still there</strong>');
  });

  test('hostile input is text in every place where it is shown', async () => {
    const { agent, post } = demo();
    await post('/login', { name: HOSTILE.slice(0, 40) });
    await post('/message', { text: HOSTILE });
    const { text } = await agent.get('/');

    expect(text.match(/<script/g)).toHaveLength(1);
    expect(flash(text)).toBe(
      'You wrote: &lt;script&gt;document.title = &quot;hacked&quot;&lt;/script&gt;&quot;&#39;&amp;',
    );
  });

  describe('refuses', () => {
    const refused = 'This form is out of date. Go back, reload the page and send it again.';

    test.each([
      ['no token', () => ({})],
      ['an empty token', () => ({ _csrf: '' })],
      ['a token of the same length', (token: string) => ({ _csrf: 'A'.repeat(token.length) })],
      ['a prefix of the token', (token: string) => ({ _csrf: token.slice(0, -1) })],
      ['the token twice', (token: string) => ({ _csrf: [token, token] })],
    ])('a form with %s', async (_what, fields) => {
      const { agent, store } = demo();
      const token = csrfToken((await agent.get('/')).text);
      const ids = store.ids();
      const response = await agent.post('/clear').type('form').send(fields(token));

      expect(response.status).toBe(403);
      expect(response.text).toContain(refused);
      expect(store.ids()).toEqual(ids);
    });

    test('a form without a session, even with an empty token', async () => {
      const response = await demo().agent.post('/login').type('form').send({ name: 'Ada', _csrf: '' });
      expect(response.status).toBe(403);
    });

    test("a form with another session's token", async () => {
      const { app, agent } = demo();
      const foreign = csrfToken((await request(app).get('/')).text);
      await agent.get('/');
      const response = await agent.post('/login').type('form').send({ name: 'Ada', _csrf: foreign });

      expect(response.status).toBe(403);
    });

    test('a form that was loaded before signing in', async () => {
      const { agent, post } = demo();
      const stale = csrfToken((await agent.get('/')).text);
      await post('/login', { name: 'Ada' });
      const response = await agent.post('/logout').type('form').send({ _csrf: stale });

      expect(response.status).toBe(403);
      expect((await agent.get('/')).text).toContain('<strong id="user">Ada</strong>');
    });

    test('JSON, which other sites could not send as a form', async () => {
      const { agent } = demo();
      const token = csrfToken((await agent.get('/')).text);
      const response = await agent.post('/login').send({ name: 'Ada', _csrf: token });

      expect(response.status).toBe(403);
    });

    test('a body over 10 kB', async () => {
      const response = await demo()
        .agent.post('/login')
        .type('form')
        .send({ name: 'x'.repeat(10_241) });
      expect(response.status).toBe(413);
    });
  });

  test('a failing store is a 500 that tells the visitor nothing of the inside', async () => {
    const { agent, store } = demo();
    await agent.get('/');
    const log = jest.spyOn(console, 'error').mockImplementation(() => {});
    const failure = new Error('the inside');
    store.failure = failure;
    const response = await agent.get('/');
    const logged = log.mock.calls;
    log.mockRestore();

    expect(response.status).toBe(500);
    expect(response.text).toContain('Something went wrong here. The terminal says more.');
    expect(response.text).not.toContain('the inside');
    expect(logged).toEqual([[failure]]);
  });
});

describe('html', () => {
  test('escapes what is inserted, in elements and in quoted attributes', () => {
    const text = `<a href='x' title="y">&</a>`;
    const escaped = '&lt;a href=&#39;x&#39; title=&quot;y&quot;&gt;&amp;&lt;/a&gt;';
    expect(html`<p title="${text}">${text}</p>`.toString()).toBe(`<p title="${escaped}">${escaped}</p>`);
  });

  test('inserts the markup of another html, alone and in an array, as it is', () => {
    const items = ['a', '<b>'].map((item) => html`<li>${item}</li>`);
    expect(html`<ul>${items}</ul>${html`<hr>`}`.toString()).toBe('<ul><li>a</li><li>&lt;b&gt;</li></ul><hr>');
  });

  test('inserts nothing for null, undefined and false, and 0 and an empty text as they are', () => {
    expect(html`[${null}${undefined}${false}|${0}${''}]`.toString()).toBe('[|0]');
  });

  test('does not take an object that only looks like markup for it', () => {
    expect(html`${{ text: '<b>', toString: () => '<i>' }}`.toString()).toBe('&lt;i&gt;');
  });
});

describeWith('chromium', 'the demo in Chromium', () => {
  let browser: Browser;
  let site: Site;
  let visitor: Visitor;

  beforeAll(async () => {
    browser = await launchBrowser();
  });

  afterAll(() => browser.close());

  beforeEach(async () => {
    site = await serve(new TestStore());
    visitor = await newVisitor(browser);
    await visitor.page.goto(site.url);
  });

  afterEach(async () => {
    await visitor.close();
    await site.close();
  });

  const text = (selector: string) => visitor.page.textContent(selector);
  const cookies = () => visitor.page.context().cookies();
  const shown = (selector: string) => visitor.page.locator(selector).count();

  async function signIn(name: string): Promise<void> {
    await visitor.page.fill('#name', name);
    await visitor.click('form[action="/login"] button');
  }

  async function leaveMessage(message: string): Promise<void> {
    await visitor.page.fill('#text', message);
    await visitor.click('form[action="/message"] button');
  }

  test('the browser has nothing to complain of, the Content-Security-Policy included', async () => {
    await signIn('Ada');
    await visitor.click('nav a[href="/session"]');
    expect(visitor.complaints).toEqual([]);
  });

  test('the counter counts', async () => {
    const counts = [await text('#visits')];
    await visitor.page.reload();
    counts.push(await text('#visits'));
    await visitor.click('.visits .button');
    counts.push(await text('#visits'));

    expect(counts).toEqual(['1', '2', '3']);
  });

  test('the cookie is as the server meant it, and no script sees it', async () => {
    const [cookie, ...others] = await cookies();
    const now = Date.now() / 1000;

    expect(others).toEqual([]);
    expect(cookie).toMatchObject({
      name: 'demo.sid',
      domain: '127.0.0.1',
      path: '/',
      httpOnly: true,
      secure: false,
      sameSite: 'Lax',
    });
    expect(cookie!.expires).toBeGreaterThan(now + LIFETIME / 1000 - 30);
    expect(cookie!.expires).toBeLessThanOrEqual(now + LIFETIME / 1000);
    expect(await visitor.page.evaluate(() => document.cookie)).toBe('');
  });

  test('signing in changes the cookie, and the old one is worth nothing', async () => {
    const [before] = await cookies();
    const fingerprint = await text('#fingerprint');
    await signIn('Ada');
    const [after] = await cookies();

    expect(after!.value).not.toBe(before!.value);
    expect(await text('#user')).toBe('Ada');
    expect(await text('#flash')).toBe(
      `Welcome, Ada. Your session got a new id: ${fingerprint} became ${await text('#fingerprint')}.`,
    );

    const thief = await newVisitor(browser);
    await thief.page.context().addCookies([before!]);
    await thief.page.goto(site.url);
    expect(await thief.page.textContent('#visits')).toBe('1');
    expect(await thief.page.locator('#user').count()).toBe(0);
    await thief.close();
  });

  test('signing out ends the session for whoever still has its cookie', async () => {
    await signIn('Ada');
    const [before] = await cookies();
    await visitor.click('form[action="/logout"] button');
    const [after] = await cookies();

    expect(after!.value).not.toBe(before!.value);
    expect(await text('#flash')).toBe('Goodbye, Ada. The session you had is destroyed.');
    expect(await shown('#user')).toBe(0);

    await visitor.page.context().addCookies([before!]);
    await visitor.page.goto(site.url);
    expect(await shown('#user')).toBe(0);
  });

  test('a message shows after the redirect, once', async () => {
    await leaveMessage('hello');
    expect(visitor.page.url()).toBe(`${site.url}/`);
    expect(await text('#flash')).toBe('You wrote: hello');
    await visitor.page.reload();
    expect(await shown('#flash')).toBe(0);
  });

  test('clearing takes the cookie from the browser and the record from the store', async () => {
    expect(site.store.ids()).toHaveLength(1);
    await visitor.click('form[action="/clear"] button');

    expect(visitor.page.url()).toBe(`${site.url}/cleared`);
    expect(await cookies()).toEqual([]);
    expect(site.store.ids()).toEqual([]);
    expect(await text('#sent-cookie')).toBe('none');

    await visitor.click('.notice .button');
    expect(await text('#visits')).toBe('1');
  });

  test('a hostile name is shown as text', async () => {
    const name = HOSTILE.slice(0, 40);
    await signIn(name);

    expect(await text('#user')).toBe(name);
    expect(await text('.user')).toBe(name);
    expect(JSON.parse((await text('#json'))!).user.name).toBe(name);
    expect(await shown('main script')).toBe(0);
    expect(await visitor.page.title()).toBe('Try it · steady-session demo');
    expect(visitor.complaints).toEqual([]);
  });

  test('the remaining lifetime counts down to the end and says so', async () => {
    const { page } = visitor;
    const now = Date.now();
    await page.clock.setFixedTime(now);
    await page.reload();
    expect(await text('.clock')).toBe('5:00');
    expect(await text('.expired')).toBe('');

    await page.clock.setFixedTime(now + 61_000);
    await page.locator('.clock', { hasText: /^3:59$/ }).waitFor();
    const left = await page.locator('progress').evaluate((bar) => (bar as HTMLProgressElement).value);
    expect(left).toBeGreaterThan(LIFETIME - 62_000);
    expect(left).toBeLessThanOrEqual(LIFETIME - 61_000);

    await page.clock.setFixedTime(now + LIFETIME);
    await page.locator('.clock', { hasText: /^0:00$/ }).waitFor();
    expect(await text('.expired')).toBe('Expired. Reload the page and you start from zero.');
  });

  test('L4: over a store that takes 200 ms to save, the page after the redirect always has the change', async () => {
    site.store.saveDelay = 200;
    for (const message of ['one', 'two', 'three', 'four', 'five']) {
      await leaveMessage(message);
      expect(await text('#flash')).toBe(`You wrote: ${message}`);
    }
    await signIn('Ada');
    expect(await text('#user')).toBe('Ada');
    await visitor.click('form[action="/logout"] button');
    expect(await shown('#user')).toBe(0);
  });

  test('works without JavaScript, all but the counting down', async () => {
    const plain = await newVisitor(browser, { javaScriptEnabled: false });
    await plain.page.goto(site.url);
    await plain.page.fill('#name', 'Ada');
    await plain.click('form[action="/login"] button');

    expect(await plain.page.textContent('#user')).toBe('Ada');
    expect(await plain.page.textContent('.clock')).toBe('5:00');
    await plain.close();
  });

  test.each(['light', 'dark'] as const)('fits on a phone, %s', async (colorScheme) => {
    const phone = await newVisitor(browser, { colorScheme, viewport: { width: 320, height: 640 } });
    await phone.page.goto(site.url);
    await phone.page.fill('#name', 'M'.repeat(40));
    await phone.click('form[action="/login"] button');

    expect(await phone.page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
    await phone.close();
  });
});

describe('npm start', () => {
  const root = join(__dirname, '..');
  let directory: string;

  // The demo requires the package by its name, so it needs one that is built: here, not in the working tree.
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'steady-session-demo-'));
    for (const name of ['package.json', 'examples'])
      cpSync(join(root, name), join(directory, name), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
    const tsc = join(root, 'node_modules', '.bin', 'tsc');
    execFileSync(tsc, ['-p', join(root, 'tsconfig.build.json'), '--outDir', join(directory, 'dist')], {
      stdio: 'inherit',
    });
  });

  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  /** Runs what `npm start` runs, until it tells its address or ends. */
  async function start(env: Record<string, string>): Promise<Started> {
    const { scripts } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
    const [program, script] = scripts.start.split(' ');
    const { PORT: _port, SESSION_SECRET: _secret, ...inherited } = process.env;
    const child = spawn(program, [script], {
      cwd: directory,
      env: { ...inherited, NODE_ENV: 'development', ...env },
    });
    children.push(child);
    const started: Started = { output: '', url: undefined, exitCode: null };
    const ended = once(child, 'close').then(([code]) => {
      started.exitCode = code;
    });
    const told = new Promise<void>((resolve) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (chunk) => {
          started.output += chunk;
          started.url = /http:\/\/localhost:\d+/.exec(started.output)?.[0];
          if (started.url !== undefined && started.output.includes('Ctrl+C')) resolve();
        });
      }
    });
    await Promise.race([told, ended]);
    return started;
  }

  test('tells the address, where the demo answers, and what to try', async () => {
    const port = await freePort();
    const { url, output } = await start({ PORT: `${port}` });

    expect(url).toBe(`http://localhost:${port}`);
    expect(output).toContain('Try this:');
    expect(output).not.toContain('Warning');
    const response = await request(url!).get('/');
    expect(visits(response.text)).toBe(1);
  });

  test('on a port that was asked for and is taken, it says so and ends', async () => {
    const site = await serve(new TestStore());
    const { port } = site;
    const { exitCode, output } = await start({ PORT: `${port}` });
    await site.close();

    expect(exitCode).toBe(1);
    expect(output).toBe(
      `Port ${port} is taken by another program. Try another, such as PORT=${port + 1} npm start.\n`,
    );
  });

  test('when the usual port is taken, it says so and takes another', async () => {
    const occupier = createServer().listen(3000, '127.0.0.1');
    // Taken by another program already? That will do as well.
    await Promise.race([
      once(occupier, 'listening'),
      new Promise((resolve) => occupier.once('error', resolve)),
    ]);
    const { url, output } = await start({});
    occupier.close();

    expect(output).toContain('Port 3000 is taken by another program, so here is another one.\n');
    expect(url).not.toBe('http://localhost:3000');
    expect((await request(url!).get('/')).status).toBe(200);
  });

  test.each(['http', '-1', '65536', '3000.5'])('PORT=%s is refused with what is allowed', async (port) => {
    const { exitCode, output } = await start({ PORT: port });

    expect(exitCode).toBe(1);
    expect(output).toBe(
      `PORT must be a whole number from 0 to 65535 (0 takes any free port), not "${port}".\n`,
    );
  });

  test('in production it wants a secret', async () => {
    const { exitCode, output } = await start({ PORT: '0', NODE_ENV: 'production' });

    expect(exitCode).toBe(1);
    expect(output).toBe(
      'Set SESSION_SECRET: in production the demo does not make up a secret to sign cookies with.\n',
    );
  });

  test('signs its cookies with SESSION_SECRET', async () => {
    const { url } = await start({ PORT: '0', SESSION_SECRET: SECRET, NODE_ENV: 'production' });
    const [id, signature] = decodeURIComponent(cookieValue(await request(url!).get('/')))
      .slice('s:'.length)
      .split('.');
    const expected = createHmac('sha256', SECRET).update(id!).digest('base64').replace(/=+$/, '');

    expect(signature).toBe(expected);
  });
});

interface Started {
  output: string;
  url: string | undefined;
  exitCode: number | null;
}

/** A store with a record of its calls, that can be slow to save and can fail. */
class TestStore extends session.Store {
  readonly calls: string[] = [];
  /** How long each save takes, in milliseconds. */
  saveDelay = 0;
  /** What reading fails with. */
  failure: Error | undefined;
  readonly #records = new Map<string, string>();

  override get(id: string, callback: (error: unknown, data?: any) => void): void {
    this.calls.push('get');
    const text = this.#records.get(id);
    setImmediate(callback, this.failure, text === undefined ? null : JSON.parse(text));
  }

  override set(id: string, data: object, callback?: (error?: unknown) => void): void {
    this.calls.push('set');
    const text = JSON.stringify(data);
    setTimeout(() => {
      this.#records.set(id, text);
      callback?.();
    }, this.saveDelay);
  }

  override destroy(id: string, callback?: (error?: unknown) => void): void {
    this.calls.push('destroy');
    this.#records.delete(id);
    setImmediate(() => callback?.());
  }

  override touch(_id: string, _data: object, callback?: (error?: unknown) => void): void {
    this.calls.push('touch');
    setImmediate(() => callback?.());
  }

  ids(): string[] {
    return [...this.#records.keys()];
  }
}

function demo() {
  const store = new TestStore();
  const app = createApp({ session, secret: SECRET, store });
  const agent = request.agent(app);

  /** Sends a form as the page would that it is on. */
  async function post(path: string, fields: object = {}) {
    const _csrf = csrfToken((await agent.get('/')).text);
    return agent
      .post(path)
      .type('form')
      .send({ ...fields, _csrf });
  }

  return { app, store, agent, post };
}

interface Site {
  readonly url: string;
  readonly port: number;
  readonly store: TestStore;
  close(): Promise<void>;
}

async function serve(store: TestStore): Promise<Site> {
  const server: Server = createServer(createApp({ session, secret: SECRET, store }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    store,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function visits(page: string): number {
  return Number(/<strong id="visits">(\d+)</.exec(page)?.[1]);
}

function flash(page: string): string | undefined {
  return /id="flash"[^>]*>([^<]*)</.exec(page)?.[1];
}

function csrfToken(page: string): string {
  return /name="_csrf" value="([\w-]{43})"/.exec(page)![1]!;
}

function setCookie(response: request.Response): string {
  const [cookie, ...others] = response.headers['set-cookie'] as unknown as string[];
  expect(others).toEqual([]);
  return cookie!;
}

function cookieValue(response: request.Response): string {
  return /^demo\.sid=([^;]*)/.exec(setCookie(response))![1]!;
}
