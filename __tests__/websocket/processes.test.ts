import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'redis';
import { eventually } from '../support/async.js';
import { compile, nodeModules } from '../support/compile.js';
import { Browser } from '../support/http.js';
import { describeWith, type RedisServer, startRedis } from '../support/servers.js';
import { closeAll, openSocket } from './support.js';

jest.setTimeout(30_000);
afterEach(closeAll);

const ENDED = [1008, 'session ended'];

describeWith('redis-server', 'two processes and one Redis', () => {
  let redis: RedisServer;
  let dir: string;
  let direct: ReturnType<typeof createClient>;
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    redis = await startRedis();
    direct = createClient({ url: redis.url });
    await direct.on('error', () => {}).connect();
    dir = mkdtempSync(join(tmpdir(), 'steady-session-sockets-'));
    symlinkSync(nodeModules, join(dir, 'node_modules'));
    compile(dir, 'lib', '__tests__/websocket/child.ts');
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await direct.flushAll();
    await eventually(async () => ((await direct.pubSubChannels()).length === 0 ? true : undefined));
  });
  afterAll(async () => {
    direct.destroy();
    await redis.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  async function run(checkInterval: number, notify: boolean): Promise<number> {
    const program = join(dir, '__tests__/websocket/child.js');
    const args = [program, redis.url, String(checkInterval), notify ? 'notify' : ''];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    const [text] = await once(child.stdout!, 'data');
    return Number(String(text));
  }

  /** A user who is logged in, with a socket to one process and a browser at the other. */
  async function start(checkInterval: number, notify: boolean) {
    const [here, there] = await Promise.all([run(checkInterval, notify), run(checkInterval, notify)]);
    const browser = new Browser({ port: there, http2: false });
    await browser.get('/login');
    const client = await openSocket(here, { cookie: browser.cookieHeader('/') });
    return { browser, client };
  }

  test.each(['/logout', '/regenerate', '/revoke'])(
    '%s in one closes the sockets of the other within checkInterval',
    async (path) => {
      const { browser, client } = await start(500, false);
      const began = performance.now();
      await browser.get(path);

      expect(await client.closed).toEqual(ENDED);
      expect(performance.now() - began).toBeLessThan(3000);
    },
  );

  test.each(['/logout', '/regenerate', '/revoke'])(
    '%s in one closes the sockets of the other at once, with notify',
    async (path) => {
      const { browser, client } = await start(3_600_000, true);
      await subscribed();
      await browser.get(path);

      expect(await client.closed).toEqual(ENDED);
    },
  );

  test('what each changes the other sees, and a socket that closes brings nothing back', async () => {
    const { browser, client } = await start(3_600_000, false);
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
    const { browser, client } = await start(3_600_000, false);
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
