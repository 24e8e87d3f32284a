import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWith, type RedisServer, startRedis } from './support/servers.js';

const ROOT = join(__dirname, '..');
const SECRET = 'only for the tests of the examples, long enough';

jest.setTimeout(60_000);

/** A copy of the examples beside a build of the package, which they require by its name. */
let directory: string;
const running: ChildProcess[] = [];

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'steady-session-examples-'));
  for (const name of ['package.json', 'examples'])
    cpSync(join(ROOT, name), join(directory, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  const tsc = join(ROOT, 'node_modules', '.bin', 'tsc');
  execFileSync(tsc, ['-p', join(ROOT, 'tsconfig.build.json'), '--outDir', join(directory, 'dist')], {
    stdio: 'inherit',
  });
});

afterEach(async () => {
  for (const child of running.splice(0)) await crash(child);
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

describeWith('redis-server', 'with Redis', () => {
  let server: RedisServer;
  beforeEach(async () => {
    server = await startRedis();
  });
  afterEach(() => server.stop());

  describe.each(['connect-redis', 'redis'])('%s', (example) => {
    test('counts the visits of each visitor, also after a crash of the app', async () => {
      await expectDurableCounter(example, { REDIS_URL: server.url });
    });
  });

  test.each([
    ['connect-redis', 'redis'],
    ['redis', 'connect-redis'],
  ])('%s, then %s: the sessions go on', async (before, after) => {
    const visitor = new Visitor();
    await visitor.get(await start(before, { REDIS_URL: server.url }));
    const page = await visitor.get(await start(after, { REDIS_URL: server.url }));

    expect(page).toBe('<p>Visits: 2</p>');
  });

  test('redis counts each of many visits at the same time, by two processes', async () => {
    const visitor = new Visitor();
    const env = { REDIS_URL: server.url };
    const apps = [await start('redis', env), await start('redis', env)];
    await visitor.get(apps[0]!);
    const pages = await Promise.all(Array.from({ length: 20 }, (_, n) => visitor.get(apps[n % 2]!)));

    const expected = Array.from({ length: 20 }, (_, n) => `<p>Visits: ${n + 2}</p>`);
    expect(pages.sort()).toEqual(expected.sort());
  });
});

describeWith('sqlite', 'sqlite', () => {
  test('counts the visits of each visitor, also after a crash of the app', async () => {
    await expectDurableCounter('sqlite', { DATABASE: join(directory, 'sessions.db') });
  });
});

describe('metrics', () => {
  test('count what visitors do, and measure the store', async () => {
    const url = await start('metrics', {});
    const visitor = new Visitor();
    const before = await metricsOf(url);
    for (const visits of [1, 2, 3]) expect(await visitor.get(url)).toBe(`<p>Visits: ${visits}</p>`);
    expect(await visitor.post(`${url}/forget`)).toEqual([302, '/']);
    const after = await metricsOf(url);

    const events = { create: 1, load: 3, save: 2, destroy: 1 };
    const others = { touch: 0, expire: 0, rotate: 0, reuse: 0, conflict: 0, interrupted: 0, error: 0 };
    expect(seriesOf(before, 'session_events_total')).toEqual({
      ...Object.fromEntries(Object.keys(events).map((event) => [event, 0])),
      ...others,
    });
    expect(seriesOf(before, 'session_store_seconds_count')).toEqual({});
    expect(seriesOf(after, 'session_events_total')).toEqual({ ...events, ...others });
    expect(seriesOf(after, 'session_store_seconds_count')).toEqual(events);
  });

  async function metricsOf(url: string): Promise<string> {
    const response = await fetch(`${url}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    return response.text();
  }

  /** The values of a metric by its label `event`. */
  function seriesOf(metrics: string, name: string): Record<string, number> {
    const lines = metrics.matchAll(new RegExp(`^${name}\\{event="(\\w+)"\\} (\\d+)$`, 'gm'));
    return Object.fromEntries([...lines].map(([, event, value]) => [event, Number(value)]));
  }
});

describe('migrate-from-express-session', () => {
  const example = 'migrate-from-express-session';
  const signedIn = (visits: number) => `<p>Visits: ${visits}, signed in</p>`;
  const env = () => ({ SESSION_FILES: mkdtempSync(join(directory, 'files-')) });

  test('works: visits, login with a new session, logout', async () => {
    const visitor = new Visitor();
    const url = await start(example, env());

    expect(await visitor.get(url)).toBe('<p>Visits: 1, not signed in</p>');
    const planted = visitor.cookie;
    expect(await visitor.post(`${url}/login`)).toEqual([302, '/']);
    expect(visitor.cookie).not.toBe(planted);
    expect(await visitor.get(url)).toBe(signedIn(1));
    expect(await visitor.post(`${url}/logout`)).toEqual([302, '/']);
    expect(await visitor.get(url)).toBe('<p>Visits: 1, not signed in</p>');
  });

  test('visitors of the app before the move are still signed in after it, and after the way back', async () => {
    const files = env();
    const visitor = new Visitor();
    const original = useExpressSession(example);
    const before = await start(original, files);
    await visitor.post(`${before}/login`);
    expect(await visitor.get(before)).toBe(signedIn(1));
    const cookie = visitor.cookie;

    expect(await visitor.get(await start(example, files))).toBe(signedIn(2));
    expect(await visitor.get(await start(original, files))).toBe(signedIn(3));
    expect(visitor.cookie).toBe(cookie);
  });
});

/** The example as it was before it moved, which differs in one line; gives its name. */
function useExpressSession(example: string): string {
  const moved = readFileSync(join(directory, 'examples', example, 'server.js'), 'utf8');
  const lines = moved.split('\n');
  const index = lines.findIndex((line) => line.startsWith("const session = require('steady-session');"));
  lines[index] = "const session = require('express-session');";
  const original = lines.join('\n');
  expect(original.match(/require\('(express|steady)-session'\)/g)).toEqual(["require('express-session')"]);

  const name = 'before-the-move';
  cpSync(join(directory, 'examples', example), join(directory, 'examples', name), { recursive: true });
  writeFileSync(join(directory, 'examples', name, 'server.js'), original);
  return name;
}

async function expectDurableCounter(example: string, env: Record<string, string>): Promise<void> {
  const [ada, grace] = [new Visitor(), new Visitor()];
  const url = await start(example, env);
  expect(await ada.get(url)).toBe('<p>Visits: 1</p>');
  expect(await ada.get(url)).toBe('<p>Visits: 2</p>');
  expect(await grace.get(url)).toBe('<p>Visits: 1</p>');
  expect(grace.cookie).not.toBe(ada.cookie);

  await crash(running.pop()!);
  const again = await start(example, env);
  expect(await ada.get(again)).toBe('<p>Visits: 3</p>');
  expect(await grace.get(again)).toBe('<p>Visits: 2</p>');
}

/** Starts an example on a free port; resolves to the address that it prints. */
async function start(example: string, env: Record<string, string>): Promise<string> {
  const child = spawnExample(example, env);
  let output = '';
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on('data', (chunk) => {
        output += chunk;
        const url = /http:\/\/127\.0\.0\.1:\d+(?=\n)/.exec(output)?.[0];
        if (url !== undefined) resolve(url);
      });
    }
    child.once('close', (code) => reject(new Error(`${example} ended with ${code}:\n${output}`)));
  });
}

function spawnExample(example: string, env: Record<string, string>): ChildProcess {
  const child = spawn(process.execPath, [join('examples', example, 'server.js')], {
    cwd: directory,
    env: { ...process.env, NODE_ENV: 'development', PORT: '0', SESSION_SECRET: SECRET, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.push(child);
  return child;
}

async function crash(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** A browser's part: keeps the cookie. */
class Visitor {
  cookie: string | undefined;

  async get(url: string): Promise<string> {
    const response = await this.#send(url, 'GET');
    return response.text();
  }

  /** The status, and where it leads. */
  async post(url: string): Promise<[number, string | null]> {
    const { status, headers } = await this.#send(url, 'POST');
    return [status, headers.get('location')];
  }

  async #send(url: string, method: string): Promise<Response> {
    const headers = this.cookie === undefined ? {} : { cookie: this.cookie };
    const response = await fetch(url, { method, headers, redirect: 'manual' });
    const [set] = response.headers.getSetCookie();
    if (set !== undefined) this.cookie = set.split(';')[0];
    return response;
  }
}
