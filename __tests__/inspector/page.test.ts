/** The page, in Chromium. */
import { request } from 'node:http';
import type { Browser, Page } from 'playwright-core';
import session from '../../lib/index.js';
import { launchBrowser, newVisitor, type Visitor } from '../support/browser.js';
import { gate } from '../support/http.js';
import { describeWith } from '../support/servers.js';
import type { Handler } from '../support/sites.js';
import { ADMIN, closeScenes, hashOf, idOf, type Scene, scene } from './support.js';

jest.setTimeout(60_000);

const MINUTE = 60_000;

const app: Handler = (req, res) => {
  const { pathname, searchParams } = new URL(req.url, 'http://localhost');
  if (pathname === '/put') Object.assign(req.session, Object.fromEntries(searchParams));
  if (pathname === '/out') req.session.clear();
  res.end();
};

describeWith('chromium', "the inspector's page", () => {
  let browser: Browser;
  let admin: Visitor;

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    admin = await newVisitor(browser, { extraHTTPHeaders: ADMIN });
  });
  afterEach(async () => {
    await admin.close();
    await closeScenes();
  });

  /** The rest of a line of a table, by the session that it is of. */
  const rowOf = (hash: string, table = '#sessions') => admin.page.locator(`${table} tr`, { hasText: hash });

  async function open({ site }: Scene, path = '/sessions'): Promise<void> {
    await admin.page.goto(`http://127.0.0.1:${site.port}${path}`);
    await shows('#state', 'Live');
  }

  async function shows(selector: string, text: string, page: Page = admin.page): Promise<void> {
    await page.waitForFunction(
      ([where, expected]) => document.querySelector(where!)?.textContent === expected,
      [selector, text],
    );
  }

  async function begun({ visitor }: Scene, query: string): Promise<string> {
    const other = visitor();
    await other.get(`/put?${query}`);
    return hashOf(idOf(other));
  }

  test('shows what was before it was opened: the session, the request with its reasons, the event', async () => {
    const stage = await scene(app, { options: { owner: 'user', cookie: { maxAge: 20 * MINUTE } } });
    const hash = await begun(stage, 'user=ada&cart=1');
    await open(stage);
    await rowOf(hash).waitFor();
    const cells = await rowOf(hash).locator('td').allTextContents();
    const requests = await rowOf(hash, '#requests').locator('td').allTextContents();
    const events = await rowOf(hash, '#events').locator('td').allTextContents();

    expect([cells[0], cells[1], cells[2]]).toEqual([hash, 'ada', 'usercart']);
    expect(cells[3]).toMatch(/^1\d\d B$/);
    expect(cells[5]).toMatch(/^(20 min|19 min 5\d s)$/);
    expect(requests.slice(1)).toEqual([
      'GET /put',
      hash,
      'modified',
      'creatednew and modifiedSet-Cookienew to the browser and modified',
    ]);
    expect(events.slice(1, 5)).toEqual(['create', hash, 'GET /put', '']);
    expect(await admin.page.textContent('#sessions-note')).toBe('All that the store has');
    expect(await admin.page.textContent('#process')).toBe(`Requests and events of process ${process.pid}`);
    expect(admin.complaints).toEqual([]);
  });

  test.each(['/sessions', '/sessions/', '/sessions?with=query'])('works at %s', async (path) => {
    const stage = await scene(app);
    await open(stage, path);

    expect(admin.complaints).toEqual([]);
  });

  test('shows what happens while it is open', async () => {
    const stage = await scene(app);
    await open(stage);
    await shows('#count-sessions', '0');
    expect(await admin.page.isVisible('#no-sessions')).toBe(true);
    const other = stage.visitor();
    await other.get('/read');
    await admin.page
      .locator('#requests', { hasText: 'no Set-Cookieunmodified and saveUninitialized is false' })
      .waitFor();
    await other.get('/put?user=ada');
    const hash = hashOf(idOf(other));
    await rowOf(hash).waitFor();
    await shows('#count-sessions', '1');
    await other.get('/out');
    await rowOf(hash).waitFor({ state: 'detached' });
    await shows('#count-sessions', '0');
    await admin.page.locator('#events .badge', { hasText: 'destroy' }).waitFor();

    expect(await admin.page.isVisible('#no-sessions')).toBe(true);
    expect(await admin.page.isVisible('#no-events')).toBe(false);
    expect(admin.complaints).toEqual([]);
  });

  test('the bar of the time left shrinks, and the session is over at its end', async () => {
    const stage = await scene(app, {
      checkInterval: 60 * MINUTE,
      options: { cookie: { maxAge: 10 * MINUTE } },
    });
    const hash = await begun(stage, 'a=1');
    await admin.page.clock.install();
    await open(stage);
    await rowOf(hash).waitFor();
    const bar = rowOf(hash).locator('progress');
    const look = async () => {
      const { value, level } = await bar.evaluate((element: HTMLProgressElement) => ({
        value: element.value,
        level: element.dataset['level'],
      }));
      return { value, level, text: await rowOf(hash).locator('.left-text').textContent() };
    };
    const full = await look();
    await admin.page.clock.runFor(4 * MINUTE);
    const high = await look();
    await admin.page.clock.runFor(3 * MINUTE);
    const middle = await look();
    await admin.page.clock.runFor(2 * MINUTE);
    const low = await look();
    await admin.page.clock.runFor(MINUTE);
    const over = await look();

    expect(full.value).toBeGreaterThan(950);
    expect([high.level, middle.level, low.level]).toEqual(['high', 'middle', 'low']);
    for (const [{ value }, expected] of [
      [high, 600],
      [middle, 300],
      [low, 100],
    ] as const) {
      expect(value).toBeLessThanOrEqual(expected);
      expect(value).toBeGreaterThan(expected - 50);
    }
    expect(over).toEqual({ value: 0, level: 'low', text: 'over' });
    expect(await bar.getAttribute('aria-label')).toBe(`Time left of session ${hash}`);
  });

  test('revokes a session, once that has been confirmed, and says so', async () => {
    const stage = await scene(app, { options: { owner: 'user' } });
    const victim = stage.visitor();
    await victim.get('/put?user=ada');
    const id = idOf(victim);
    const hash = hashOf(id);
    await begun(stage, 'user=grace');
    await open(stage);
    const { page } = admin;
    await page.getByRole('button', { name: `Revoke session ${hash}` }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    expect(await rowOf(hash).count()).toBe(1);
    await page.getByRole('button', { name: `Revoke session ${hash}` }).click();
    const question = await page.getByRole('dialog').textContent();
    await page.getByRole('button', { name: 'Revoke', exact: true }).click();
    await shows('#notice', `Session ${hash} is revoked.`);
    await rowOf(hash).waitFor({ state: 'detached' });
    await victim.get('/put?user=ada');

    expect(question).toContain(`Session ${hash} of ada ends at once`);
    expect(idOf(victim)).not.toBe(id);
    expect(await page.getAttribute('#notice', 'role')).toBe('status');
    expect(admin.complaints).toEqual([]);
  });

  test('says so when a revocation fails', async () => {
    const store = new session.MemoryStore();
    const stage = await scene(app, { options: { store } });
    const hash = await begun(stage, 'a=1');
    await open(stage);
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    store.destroy = () => Promise.reject(new Error('hunter2')) as never;
    await admin.page.getByRole('button', { name: `Revoke session ${hash}` }).click();
    await admin.page.getByRole('button', { name: 'Revoke', exact: true }).click();
    await shows('#notice', 'Not revoked, since the session store failed. Error');

    expect(await rowOf(hash).count()).toBe(1);
    expect(await admin.page.getAttribute('#notice', 'data-kind')).toBe('bad');
    warn.mockRestore();
  });

  test('connects again when the connection breaks, and shows nothing twice', async () => {
    const stage = await scene(app);
    const hash = await begun(stage, 'a=1');
    await open(stage);
    await rowOf(hash).waitFor();
    for (const socket of stage.site.sockets) socket.destroy();
    await shows('#state', 'Reconnecting');
    await shows('#state', 'Live');
    const later = await begun(stage, 'b=1');
    await rowOf(later).waitFor();

    expect(await rowOf(hash).count()).toBe(1);
    expect(await rowOf(hash, '#requests').count()).toBe(1);
    expect(await rowOf(hash, '#events').count()).toBe(1);
  });

  test('shows nothing any more once the guard refuses', async () => {
    let mayLook = true;
    const stage = await scene(app, { guard: () => mayLook, checkInterval: 20 });
    const hash = await begun(stage, 'a=1');
    await open(stage);
    await rowOf(hash).waitFor();
    mayLook = false;
    await shows('#state', 'Ended: the server lets this page look no longer. Reload it to try again.');

    expect(await admin.page.locator('tbody tr').count()).toBe(0);
    expect(await admin.page.textContent('#count-sessions')).toBe('0');
    const response = await admin.page.reload();
    expect([response!.status(), await admin.page.textContent('body')]).toEqual([403, 'Forbidden']);
  });

  test('filters by session, by any words, and by trouble', async () => {
    const { opened, open: letGo } = gate();
    const reached = gate();
    const stage = await scene(
      async (req, res, next) => {
        if (req.url !== '/slow') return app(req, res, next);
        req.session.late = 1;
        reached.open();
        await opened;
        return res.end();
      },
      { options: { owner: 'user' } },
    );
    const victim = stage.visitor();
    await victim.get('/put?user=ada');
    const hash = hashOf(idOf(victim));
    const slow = victim.get('/slow');
    await reached.opened;
    await victim.get('/out');
    letGo();
    await slow;
    const other = await begun(stage, 'user=grace');
    await open(stage);
    await rowOf(other).waitFor();
    const { page } = admin;
    const visible = (table: string) => page.locator(`${table} tr:visible`).count();
    await page.check('#trouble');
    const trouble = await page.locator('#events tr:visible td').allTextContents();
    await page.uncheck('#trouble');
    await page.getByRole('searchbox', { name: 'Filter' }).fill('GRACE');
    const grace = [await visible('#sessions'), await visible('#requests'), await visible('#events')];
    await page.fill('#filter', '');
    await page.locator('#events .hash', { hasText: hash }).first().click();
    const chosen = await page.inputValue('#filter');
    const ofHash = [await visible('#sessions'), await page.isVisible('#no-sessions')];

    expect(trouble.slice(1)).toEqual(['interrupted', hash, 'GET /slow', 'dropped: late', '']);
    expect(grace).toEqual([1, 0, 0]);
    expect([chosen, ...ofHash]).toEqual([hash, 0, true]);
  });

  test('keeps as many requests and events as the server remembers', async () => {
    const stage = await scene(app, { history: 3 });
    await open(stage);
    for (const name of ['a', 'b', 'c', 'd', 'e']) await begun(stage, name);
    await shows('#count-requests', '5');
    await shows('#count-sessions', '5');

    expect(await admin.page.locator('#requests tr').count()).toBe(3);
    expect(await admin.page.locator('#events tr').count()).toBe(3);
  });

  test('says when more sessions exist than it lists, and when the store cannot list', async () => {
    const stage = await scene(app, { sessions: 2 });
    for (const name of ['a', 'b', 'c']) await begun(stage, name);
    await open(stage);
    await shows('#sessions-note', 'The first 2 of the store; more exist');
    const store = new session.MemoryStore().texts;
    const other = await scene(app, { options: { store } });
    await begun(other, 'a=1');
    await open(other);
    await shows(
      '#sessions-note',
      'The store cannot list its sessions: these are the ones that this process has seen lately',
    );
    await shows('#count-sessions', '1');
  });

  test('follows the color scheme, and fits a narrow window', async () => {
    const stage = await scene(app);
    await open(stage);
    const background = () => admin.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await admin.page.emulateMedia({ colorScheme: 'light' });
    const light = await background();
    await admin.page.emulateMedia({ colorScheme: 'dark' });
    const dark = await background();
    await admin.page.setViewportSize({ width: 360, height: 700 });
    const overflow = await admin.page.evaluate(() => document.documentElement.scrollWidth);

    expect([light, dark]).toEqual(['rgb(245, 247, 247)', 'rgb(15, 21, 20)']);
    expect(overflow).toBe(360);
  });

  describe('with hostile sessions', () => {
    const SCRIPT = '<script>window.hacked = 1</script>';
    const hostile = [
      SCRIPT,
      `</script>${SCRIPT}`,
      '<img src=x onerror="window.hacked = 1">',
      `"'><svg onload="window.hacked = 1">`,
      '</title></style></textarea><iframe src="javascript:window.parent.hacked = 1">',
      'javascript:window.hacked = 1',
      '&lt;script&gt;',
      '\u202Enimda\u202C',
      '\u0000nul\u0007\u2028line',
      '\uD800half',
      'event: hello\ndata: {}\n\n',
      'constructor',
      'x'.repeat(100_000),
    ];

    /** A request with a target that `URL` would not let pass. */
    function rawGet(port: number, path: string): Promise<void> {
      return new Promise((resolve, reject) => {
        const asked = request({ host: '127.0.0.1', port, path }, (response) => {
          response.resume().on('end', resolve);
        });
        asked.on('error', reject).end();
      });
    }

    test('no script runs, the policy has nothing to forbid, and all is shown as it is', async () => {
      const store = new session.MemoryStore();
      const stage = await scene((_req, res) => res.end(), { options: { store, owner: 'user' } });
      const expires = Date.now() + 20 * MINUTE;
      for (const text of hostile) {
        const cookie = {
          originalMaxAge: 20 * MINUTE,
          expires: new Date(expires),
          createdAt: 1e300,
          path: text,
        };
        await store.set(text, JSON.stringify({ cookie, user: text, [text]: text }), { expires });
      }
      await admin.page.addInitScript(() => {
        Object.assign(window, { violations: [] });
        document.addEventListener('securitypolicyviolation', ({ violatedDirective }) =>
          (window as any).violations.push(violatedDirective),
        );
      });
      await open(stage);
      await shows('#count-sessions', String(hostile.length));
      for (const path of ["/<script>window.hacked='1'</script>", '/"onload="window.hacked=1', '/\u00ff?<b>'])
        await rawGet(stage.site.port, path);
      await admin.page.locator('#requests', { hasText: 'GET /<script>' }).waitFor();
      await admin.page.locator('#requests', { hasText: 'GET /"onload=' }).waitFor();
      const owners = await admin.page.locator('#sessions .owner').allTextContents();
      await rowOf(hashOf(SCRIPT)).locator('.revoke').click();
      const question = await admin.page.textContent('#ask-text');
      await admin.page.getByRole('button', { name: 'Revoke', exact: true }).click();
      await shows('#notice', `Session ${hashOf(SCRIPT)} is revoked.`);
      const found = await admin.page.evaluate(() => ({
        hacked: (window as any).hacked,
        violations: (window as any).violations,
        scripts: document.scripts.length,
        foreign: document.querySelectorAll('body img, body svg, iframe, object, embed, a, form').length,
        attributes: [...document.querySelectorAll('*')].filter((element) =>
          element.getAttributeNames().some((name) => name.startsWith('on') || name === 'style'),
        ).length,
      }));

      expect(found).toEqual({ hacked: undefined, violations: [], scripts: 1, foreign: 0, attributes: 0 });
      expect(owners.sort()).toEqual(
        [
          ...hostile.slice(0, 7),
          '\\u{202e}nimda\\u{202c}',
          '\\u{0}nul\\u{7}\\u{2028}line',
          '\\u{d800}half',
          'event: hello\\u{a}data: {}\\u{a}\\u{a}',
          'constructor',
          `${'x'.repeat(100)}…`,
        ].sort(),
      );
      expect(question).toBe(
        `Session ${hashOf(SCRIPT)} of ${SCRIPT} ends at once, for all who use it: ` +
          'its record is deleted, its sockets are closed. This cannot be undone.',
      );
      expect(admin.complaints).toEqual([]);
    });

    test('the policy would forbid a script that got in', async () => {
      const stage = await scene(app);
      await open(stage);
      const outcomes = await admin.page.evaluate(() => {
        const outcomeOf = (attempt: () => void) => {
          try {
            attempt();
            return 'done';
          } catch (error) {
            return (error as Error).name;
          }
        };
        const image = document.createElement('img');
        const script = document.createElement('script');
        script.append('window.hacked = 1');
        return [
          outcomeOf(() => {
            document.body.innerHTML = '<b>markup</b>';
          }),
          outcomeOf(() => image.setAttribute('onerror', 'window.hacked = 1')),
          outcomeOf(() => document.body.append(script)),
        ];
      });

      expect(outcomes).toEqual(['TypeError', 'TypeError', 'done']);
      expect(await admin.page.evaluate(() => (window as any).hacked)).toBe(undefined);
    });
  });
});
