import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'pg';
import { createClient, createCluster } from 'redis';
import { compile } from './compile.js';
import {
  describeWith,
  freePort,
  type RunningServer,
  startMemcached,
  startPostgres,
  startRedis,
  startRedisCluster,
} from './servers.js';

const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];

test('freePort gives a port that can be listened on', async () => {
  const port = await freePort();
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  expect(server.address()).toMatchObject({ port });
  server.close();
});

describeWith('redis-server', 'startRedis', () => {
  test('runs a server that can be killed and restarted with its data', async () => {
    const redis = await startRedis(DURABLE);
    const client = createClient({ url: redis.url });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.set('a', '1');
      await redis.kill();
      expect(await isListening(redis)).toBe(false);
      await redis.restart();
      expect(await client.get('a')).toBe('1');
    } finally {
      client.destroy();
      await redis.stop();
    }
    expect(await isListening(redis)).toBe(false);
  });

  test('a paused server answers only after resume', async () => {
    const redis = await startRedis();
    const client = createClient({ url: redis.url });
    try {
      await client.connect();
      redis.pause();
      const settled: string[] = [];
      const answer = client.ping().then((pong) => settled.push(pong));
      await delay(20); // a server that runs answers within one
      expect(settled).toEqual([]);
      redis.resume();
      await answer;
      expect(settled).toEqual(['PONG']);
    } finally {
      client.destroy();
      await redis.stop();
    }
  });

  test('stop removes the files and may be called twice', async () => {
    const redis = await startRedis();
    expect(existsSync(redis.dir)).toBe(true);
    await redis.stop();
    await redis.stop();
    expect(existsSync(redis.dir)).toBe(false);
  });

  test('a server that does not start is reported with what it printed', async () => {
    await expect(startRedis(['--no-such-setting', 'x'])).rejects.toThrow(/did not start[\s\S]*Bad directive/);
  });

  test('a server ends when the process that started it is killed', async () => {
    const home = mkdtempSync(join(tmpdir(), 'servers-test-'));
    compile(home, '__tests__/support/servers.ts', '__tests__/support/sqlite.ts');
    const program = join(home, 'start.js');
    writeFileSync(
      program,
      `require('./__tests__/support/servers.js')
        .startRedis()
        .then(({ port, dir }) => process.send({ port, dir }));`,
    );
    const child = fork(program);
    try {
      const [{ port, dir }] = (await once(child, 'message')) as [{ port: number; dir: string }];
      const place = { host: '127.0.0.1', port };
      expect(await isListening(place)).toBe(true);
      child.kill('SIGKILL');
      await until(async () => !(await isListening(place)) && !existsSync(dir));
    } finally {
      child.kill('SIGKILL');
      rmSync(home, { recursive: true });
    }
  });
});

describeWith('redis-server', 'startRedisCluster', () => {
  test('runs three masters that share the slots', async () => {
    const cluster = await startRedisCluster();
    const client = createCluster({ rootNodes: cluster.rootNodes });
    try {
      await client.connect();
      expect(client.masters.length).toBe(3);
      for (let i = 0; i < 30; i++) await client.set(`key${i}`, `${i}`);
      expect(await client.get('key7')).toBe('7');
      const sizes = await Promise.all(
        client.masters.map(async (master) => (await client.nodeClient(master)).dbSize()),
      );
      expect(sizes.reduce((a, b) => a + b)).toBe(30);
      expect(Math.min(...sizes)).toBeGreaterThan(0);
    } finally {
      client.destroy();
      await cluster.stop();
    }
  });
});

describeWith('postgres', 'startPostgres', () => {
  test('runs a server that asks for its password and can be killed and restarted', async () => {
    const postgres = await startPostgres();
    const pool = new Pool({ connectionString: postgres.connectionString });
    pool.on('error', () => {});
    try {
      await pool.query("CREATE TABLE t AS SELECT 'kept' AS v");
      await postgres.kill();
      expect(await isListening(postgres)).toBe(false);
      await postgres.restart();
      expect((await pool.query('SELECT v FROM t')).rows).toEqual([{ v: 'kept' }]);

      const stranger = new Pool({ connectionString: postgres.connectionString.replace('secret', 'wrong') });
      await expect(stranger.query('SELECT 1')).rejects.toMatchObject({ code: '28P01' });
      await stranger.end();
    } finally {
      await pool.end();
      await postgres.stop();
    }
    expect(await isListening(postgres)).toBe(false);
  });
});

describeWith('memcached', 'startMemcached', () => {
  test('runs a server', async () => {
    const memcached = await startMemcached();
    expect(await isListening(memcached)).toBe(true);
    await memcached.stop();
    expect(await isListening(memcached)).toBe(false);
  });
});

function isListening({ host, port }: Pick<RunningServer, 'host' | 'port'>): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.on('error', () => resolve(false));
    socket.on('connect', () => {
      resolve(true);
      socket.destroy();
    });
  });
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 10_000; !(await condition()); ) {
    if (Date.now() > deadline) throw new Error('It did not come true within 10 seconds.');
    await delay(20);
  }
}
