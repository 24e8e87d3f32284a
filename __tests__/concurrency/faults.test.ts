import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'pg';
import { createClient } from 'redis';
import {
  describeWith,
  type PostgresServer,
  type RedisServer,
  startPostgres,
  startRedis,
} from '../support/servers.js';
import type { AppState } from './app/server.js';
import { type App, Apps, type Reply } from './apps.js';
import { Ledger, type ReadStore } from './ledger.js';
import { randomly } from './scheduler.js';
import { dataOf, options, SEED } from './stored.js';
import { TcpProxy } from './tcp-proxy.js';

/** How long the store may take, in milliseconds. A request asks it two or three times. */
const STORE_TIMEOUT = 1000;
/** How long a busy machine may take for all else. */
const SLACK = 5000;
const LONGEST = 3 * STORE_TIMEOUT + SLACK;

/** Uses a few sessions while something bad happens, and tells what was wrong about it. */
async function underLoad(apps: Apps, read: ReadStore, trouble: () => Promise<unknown>): Promise<Reply[]> {
  const choose = randomly(SEED);
  const load = { apps, choose, workers: 4, requests: 40 };
  const ledgers = await Promise.all([1, 2, 3, 4].map(() => Ledger.begin(load)));
  const endings = ['none', 'none', 'logout', 'regenerate'] as const;
  const over = Promise.all(ledgers.map((ledger, index) => ledger.run(endings[index]!)));
  await Promise.race([over, sleep(100)]); // let the load set in
  await trouble();
  await over;
  await serviceReturns(apps);
  const audits = await Promise.all(ledgers.map((ledger) => ledger.audit(read)));
  expect(audits.flat()).toEqual([]);
  const replies = ledgers.flatMap((ledger) => ledger.replies);
  expect(Math.max(...replies.map(({ duration }) => duration))).toBeLessThan(LONGEST);
  return replies;
}

/** Every process serves again, without any help. */
async function serviceReturns(apps: Apps): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (const app of [...apps.all]) {
    while ((await app.request('/begin')).status !== 200) {
      if (Date.now() > deadline) throw new Error('a process does not serve any more');
      await sleep(50);
    }
  }
}

function codes(replies: Reply[]): string[] {
  const refused = replies
    .filter(({ status }) => status !== 200)
    .map(({ body, status }) => body?.code ?? `${status}`);
  return [...new Set(refused)].sort();
}

/** Three processes of an app, with a proxy between them and their store's server. */
interface Place {
  apps: Apps;
  read: ReadStore;
  server: RedisServer | PostgresServer;
  proxy: TcpProxy;
}

/** What is to be closed at the end, the latest first. */
const closers: (() => unknown)[] = [];

async function redisPlace(): Promise<Place> {
  const server = await startRedis(['--appendonly', 'yes', '--appendfsync', 'always']);
  closers.push(() => server.stop());
  const proxy = await startProxy(server.port);
  const apps = await startApps({ kind: 'redis', url: `redis://127.0.0.1:${proxy.port}` });
  const direct = createClient({ url: server.url });
  direct.on('error', () => {}); // the server is going to be killed
  await direct.connect();
  closers.push(() => direct.destroy());
  return { apps, server, proxy, read: async (id) => dataOf(await direct.get(`sess:${id}`)) };
}

async function postgresPlace(): Promise<Place> {
  const server = await startPostgres(['-c', 'fsync=on']);
  closers.push(() => server.stop());
  const proxy = await startProxy(server.port);
  const url = server.connectionString.replace(`:${server.port}/`, `:${proxy.port}/`);
  const apps = await startApps({ kind: 'postgres', url });
  const direct = new Pool({ connectionString: server.connectionString });
  direct.on('error', () => {});
  closers.push(() => direct.end());
  const read: ReadStore = async (id) => {
    const { rows } = await direct.query('SELECT sess FROM session WHERE sid = $1 AND expire > now()', [id]);
    return dataOf(rows[0]?.sess);
  };
  return { apps, server, proxy, read };
}

async function startProxy(port: number): Promise<TcpProxy> {
  const proxy = await TcpProxy.before(port);
  closers.push(() => proxy.close());
  return proxy;
}

async function startApps(store: { kind: 'redis' | 'postgres'; url: string }): Promise<Apps> {
  const apps = new Apps({ store, options: { ...options, storeTimeout: STORE_TIMEOUT } });
  closers.push(() => apps.stop());
  await apps.start(3);
  return apps;
}

const places = [
  ['redis-server', 'Redis', redisPlace],
  ['postgres', 'PostgreSQL', postgresPlace],
] as const;

for (const [requirement, name, open] of places) {
  describeWith(requirement, `faults under load: ${name}`, () => {
    let place: Place;
    let before: AppState[];

    beforeAll(async () => {
      place = await open();
      await warmUp(place);
      before = await Promise.all(place.apps.all.map((app) => app.state()));
    }, 60_000);
    afterAll(async () => {
      for (const close of closers.splice(0).reverse()) await close();
    });

    test('connections are cut, again and again', async () => {
      const { apps, read, proxy } = place;
      const replies = await underLoad(apps, read, async () => {
        for (let cut = 0; cut < 5; cut++) {
          proxy.cut();
          await sleep(100);
        }
      });
      expect(replies.length).toBeGreaterThan(500);
    }, 60_000);

    test('replies are late, but come in time', async () => {
      const { apps, read, proxy } = place;
      const replies = await underLoad(apps, read, async () => {
        proxy.replyDelay = STORE_TIMEOUT / 10;
        await sleep(2000);
        proxy.replyDelay = 0;
      });
      expect(codes(replies).filter((code) => !ENDED.includes(code))).toEqual([]);
    }, 60_000);

    test('replies are later than storeTimeout', async () => {
      const { apps, read, proxy } = place;
      const replies = await underLoad(apps, read, async () => {
        proxy.replyDelay = 2 * STORE_TIMEOUT;
        await sleep(3 * STORE_TIMEOUT);
        proxy.replyDelay = 0;
      });
      expect(codes(replies)).toContain('ERR_SESSION_STORE_TIMEOUT');
    }, 60_000);

    test('the server stops for seconds', async () => {
      const { apps, read, server } = place;
      let alone: Reply | undefined;
      const replies = await underLoad(apps, read, async () => {
        server.pause();
        const cookie = 'connect.sid=s%3Aunknown.signature';
        [alone] = await Promise.all([apps.pick(0).request('/begin', cookie), sleep(3000)]);
        server.resume();
      });
      expect(alone).toMatchObject({ status: 500, body: { code: 'ERR_SESSION_STORE_TIMEOUT' } });
      expect(alone!.duration).toBeGreaterThanOrEqual(STORE_TIMEOUT - 50);
      expect(alone!.duration).toBeLessThan(3000); // while the server was stopped
      expect(codes(replies)).toContain('ERR_SESSION_STORE_TIMEOUT');
    }, 60_000);

    test('the server is killed and started again', async () => {
      const { apps, read, server } = place;
      await underLoad(apps, read, async () => {
        await server.kill();
        await sleep(500);
        await server.restart();
      });
    }, 60_000);

    test('memory, listeners and timers are where they were', async () => {
      await warmUp(place);
      const after = await Promise.all(place.apps.all.map((app) => app.state()));
      after.forEach(({ heapUsed, listeners, timers }, index) => {
        expect(listeners).toEqual(before[index]!.listeners);
        expect(timers).toBe(before[index]!.timers);
        expect(heapUsed - before[index]!.heapUsed).toBeLessThan(8 * 1024 * 1024);
      });
    }, 60_000);

    test('a process of the app is killed', async () => {
      const { apps, read } = place;
      const victim: App = apps.pick(0);
      const replies = await underLoad(apps, read, () => apps.kill(victim));
      expect(codes(replies).filter((code) => !ENDED.includes(code) && code !== '0')).toEqual([]);
    }, 60_000);
  });
}

/** What requests are told whose session was ended. */
const ENDED = ['not found', 'ERR_SESSION_GONE', 'ERR_SESSION_INTERRUPTED'];

/** So much traffic that all connections are made and all code has run. */
async function warmUp({ apps }: Place): Promise<void> {
  for (let round = 0; round < 30; round++) {
    await Promise.all(apps.all.flatMap((app) => [1, 2, 3, 4, 5].map(() => app.request('/begin'))));
  }
}
