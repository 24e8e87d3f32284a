import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import { createClient } from 'redis';
import { eventually } from '../support/async.js';
import { compile, nodeModules } from '../support/compile.js';
import { Browser } from '../support/http.js';
import {
  describeWith,
  type PostgresServer,
  type RedisServer,
  startPostgres,
  startRedis,
} from '../support/servers.js';
import { closeAll, openSocket } from './support.js';

jest.setTimeout(30_000);
afterEach(closeAll);

const ENDED = [1008, 'session ended'];
const HOUR = 3_600_000;

let dir: string;
const children: ChildProcess[] = [];

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'steady-session-sockets-'));
  symlinkSync(nodeModules, join(dir, 'node_modules'));
  compile(dir, 'lib', '__tests__/websocket/child.ts');
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function endChildren(): void {
  for (const child of children.splice(0)) child.kill('SIGKILL');
}

async function run(url: string, checkInterval: number, words: string[]): Promise<number> {
  const program = join(dir, '__tests__/websocket/child.js');
  const args = [program, url, String(checkInterval), ...words];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const [text] = await once(child.stdout!, 'data');
  return Number(String(text));
}

/** A user who is logged in, with a socket to one process and a browser at the other. */
async function start(url: string, checkInterval: number, ...words: string[]) {
  const [here, there] = await Promise.all([run(url, checkInterval, words), run(url, checkInterval, words)]);
  const browser = new Browser({ port: there, http2: false });
  await browser.get('/login');
  const client = await openSocket(here, { cookie: browser.cookieHeader('/') });
  return { browser, client };
}

describeWith('redis-server', 'two processes and one Redis', () => {
  let redis: RedisServer;
  let direct: ReturnType<typeof createClient>;

  beforeAll(async () => {
    redis = await startRedis();
    direct = createClient({ url: redis.url });
    await direct.on('error', () => {}).connect();
  });
  afterEach(async () => {
    endChildren();
    await direct.flushAll();
    await eventually(async () => ((await direct.pubSubChannels()).length === 0 ? true : undefined));
  });
  afterAll(async () => {
    direct.destroy();
    await redis.stop();
  });

  test.each(['/logout', '/regenerate', '/revoke'])(
    '%s in one closes the sockets of the other within checkInterval',
    async (path) => {
      const { browser, client } = await start(redis.url, 500);
      const began = performance.now();
      await browser.get(path);

      expect(await client.closed).toEqual(ENDED);
      expect(performance.now() - began).toBeLessThan(3000);
    },
  );

  test.each(['/logout', '/regenerate', '/revoke'])(
    '%s in one closes the sockets of the other at once, with notify',
    async (path) => {
      const { browser, client } = await start(redis.url, HOUR, 'notify');
      await subscribed();
      await browser.get(path);

      expect(await client.closed).toEqual(ENDED);
    },
  );

  test('what each changes the other sees, and a socket that closes brings nothing back', async () => {
    const { browser, client } = await start(redis.url, HOUR);
    const say = async (text: string) => {
      const answered = once(client.socket, 'message');
      client.socket.send(text);
      return JSON.parse(String((await answered)[0]));
    };
    await browser.get('/put');
    expect(await say('reload')).toEqual({ user: 'ada', color: 'red' });
    expect(await say('3')).toEqual({ user: 'ada', color: 'red', moves: 3 });
    client.socket.close();
    await client.closed;
    await eventually(async () => JSON.parse((await browser.get('/session')).body).moves);
    expect(JSON.parse((await browser.get('/session')).body)).toEqual({ user: 'ada', color: 'red', moves: 3 });
  });

  test('a logout stays one, whatever the socket had changed', async () => {
    const { browser, client } = await start(redis.url, HOUR);
    const answered = once(client.socket, 'message');
    client.socket.send('3');
    await answered;
    await browser.get('/logout');
    client.socket.close();
    await client.closed;
    await new Promise((resolve) => setTimeout(resolve, 200));

    expect(await direct.keys('sess:*')).toEqual([]);
  });

  /** Waits until the process with the socket listens: a notice before that would find nobody. */
  function subscribed(): Promise<true> {
    return eventually(async () =>
      (await direct.pubSubChannels()).includes('sess:destroyed') ? true : undefined,
    );
  }
});

describeWith('postgres', 'two processes and one PostgreSQL', () => {
  let postgres: PostgresServer;
  let direct: Pool;

  beforeAll(async () => {
    postgres = await startPostgres();
    direct = new Pool({ connectionString: postgres.connectionString });
  }, 60_000);
  afterEach(async () => {
    endChildren();
    await direct.query('DROP TABLE session');
    await eventually(async () => ((await listeners()) === 0 ? true : undefined));
  });
  afterAll(async () => {
    await direct.end();
    await postgres.stop();
  });

  test.each([
    ['/logout', 'plain'],
    ['/regenerate', 'plain'],
    ['/revoke', 'plain'],
    ['/logout', 'hashed'],
    ['/revoke', 'hashed'],
  ])('%s in one closes the sockets of the other at once, with notify (ids: %s)', async (path, ids) => {
    const { browser, client } = await start(postgres.connectionString, HOUR, 'notify', ids);
    // the process with the socket listens now; a notice before that would find nobody
    await eventually(async () => ((await listeners()) === 1 ? true : undefined));
    await browser.get(path);

    expect(await client.closed).toEqual(ENDED);
  });

  async function listeners(): Promise<number | null> {
    const { rowCount } = await direct.query("SELECT FROM pg_stat_activity WHERE query LIKE 'LISTEN %'");
    return rowCount;
  }
});
