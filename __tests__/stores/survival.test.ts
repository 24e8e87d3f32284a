import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../support/async.js';
import { compile } from '../support/compile.js';
import { describeWith, type RunningServer, startPostgres, startRedis } from '../support/servers.js';

/**
 * An app in a process of its own, which listens to no errors of its client and would end by any unhandled one. It
 * reads the session that it stored whenever it is asked to, and tells what it found or the code of the error.
 */
const PROGRAM = `
module.exports = async function run(store, end) {
  await store.set('id', 'kept', { expires: Date.now() + 3_600_000 });
  process.on('message', async (message) => {
    if (message === 'end') return end();
    process.send(await store.get('id').catch((error) => error.code));
  });
  process.send('ready');
};`;

const REDIS = `
const { createClient } = require('redis');
const { RedisStore } = require('./lib/stores/redis.js');
createClient({ url: process.argv[2], disableOfflineQueue: true, socket: { reconnectStrategy: 20 } })
  .connect()
  .then((client) => require('./run.js')(new RedisStore({ client }), () => { client.destroy(); process.disconnect(); }));`;

const IOREDIS = `
const { Redis } = require('ioredis');
const { RedisStore } = require('./lib/stores/redis.js');
const client = new Redis(process.argv[2], { maxRetriesPerRequest: 0, retryStrategy: () => 20 });
require('./run.js')(new RedisStore({ client }), () => { client.disconnect(); process.disconnect(); });`;

const POSTGRES = `
const { Pool } = require('pg');
const { PostgresStore } = require('./lib/stores/postgres.js');
const pool = new Pool({ connectionString: process.argv[2] });
const store = new PostgresStore({ pool, createTable: true });
require('./run.js')(store, async () => { store.close(); await pool.end(); process.disconnect(); });`;

const NODE_MODULES = join(__dirname, '../../node_modules');

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'steady-session-survival-'));
  compile(dir, 'lib');
  writeFileSync(join(dir, 'run.js'), PROGRAM);
});
afterAll(() => rmSync(dir, { recursive: true }));

function startApp(program: string, url: string): ChildProcess {
  const file = join(dir, 'app.js');
  writeFileSync(file, program);
  return fork(file, [url], {
    env: { ...process.env, NODE_PATH: NODE_MODULES },
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  });
}

async function outliveOutage(server: RunningServer, program: string, url: string): Promise<void> {
  const app = startApp(program, url);
  let printed = '';
  app.stderr!.on('data', (chunk) => {
    printed += chunk;
  });
  const ask = async () => {
    app.send('read');
    const [answer] = await once(app, 'message');
    return answer;
  };
  try {
    expect(await once(app, 'message')).toEqual(['ready', undefined]);
    expect(await ask()).toBe('kept');
    await server.kill(); // while the app is idle
    await eventually(() => printed || undefined);
    expect(await ask()).toBe('ERR_SESSION_STORE_UNREACHABLE');
    await server.restart();
    expect(await eventually(async () => ((await ask()) === 'kept' ? 'kept' : undefined))).toBe('kept');
    app.send('end');
    expect(await once(app, 'exit')).toEqual([0, null]);
    expect(printed).toMatch(
      /\[WARN_SESSION_STORE_CLIENT\] SteadySessionWarning: The client of \w+ reported an error/,
    );
    expect(printed.match(/WARN_SESSION_STORE_CLIENT\]/g)).toHaveLength(1);
  } finally {
    app.kill('SIGKILL');
    await server.stop();
  }
}

describeWith('redis-server', 'an app whose Redis crashes and comes back', () => {
  test.each([
    ['node-redis', REDIS],
    ['ioredis', IOREDIS],
  ])('lives on, by %s', async (_client, program) => {
    const redis = await startRedis(['--appendonly', 'yes']);
    await outliveOutage(redis, program, redis.url);
  });
});

describeWith('postgres', 'an app whose PostgreSQL crashes and comes back', () => {
  test('lives on', async () => {
    const postgres = await startPostgres();
    await outliveOutage(postgres, POSTGRES, postgres.connectionString);
  }, 30_000);
});
