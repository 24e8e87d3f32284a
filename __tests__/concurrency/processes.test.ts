import { Pool } from 'pg';
import { createClient } from 'redis';
import {
  describeWith,
  type PostgresServer,
  type RedisServer,
  startPostgres,
  startRedis,
} from '../support/servers.js';
import { Apps } from './apps.js';
import { type Ending, Ledger, type ReadStore } from './ledger.js';
import { randomly } from './scheduler.js';
import { dataOf, options, SEED } from './stored.js';

/** For longer runs: STEADY_ROUNDS=100 npx jest processes */
const ROUNDS = Number(process.env['STEADY_ROUNDS'] ?? 3);
const PROCESSES = 4;
const ENDINGS: Ending[] = ['none', 'logout', 'none', 'regenerate', 'keep'];

/** A few sessions at a time, each used by many requests at once. */
async function load(
  apps: Apps,
  read: ReadStore,
): Promise<{ requests: number; refused: string[]; faults: string[] }> {
  const choose = randomly(SEED);
  const ledgers: Ledger[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const running = ENDINGS.map(async (ending) => {
      const ledger = await Ledger.begin({ apps, choose, workers: 8, requests: 12 });
      return ledger.run(ending);
    });
    ledgers.push(...(await Promise.all(running)));
  }
  const audits = await Promise.all(ledgers.map((ledger) => ledger.audit(read)));
  const replies = ledgers.flatMap((ledger) => ledger.replies);
  const refused = replies
    .filter(({ status }) => status !== 200)
    .map(({ body, status }) => body?.code ?? status);
  return { requests: replies.length, refused, faults: audits.flat() };
}

function tell(name: string, { requests, refused }: { requests: number; refused: string[] }): void {
  process.stdout.write(
    `  ${name}: ${requests} requests to ${PROCESSES} processes, seed ${SEED}, ${refused.length} refused\n`,
  );
}

describeWith('redis-server', 'four processes and one Redis', () => {
  let redis: RedisServer;
  let apps: Apps;
  const client = () => createClient({ url: redis.url });

  beforeAll(async () => {
    redis = await startRedis();
    apps = new Apps({ store: { kind: 'redis', url: redis.url }, options });
    await apps.start(PROCESSES);
  }, 60_000);
  afterAll(async () => {
    await apps.stop();
    await redis.stop();
  });

  test('nothing acknowledged is lost, nothing comes back, counters are exact', async () => {
    const direct = client();
    await direct.connect();
    const result = await load(apps, async (id) => dataOf(await direct.get(`sess:${id}`)));
    direct.destroy();
    tell('Redis', result);

    expect(result.faults).toEqual([]);
    expect(result.refused.filter((code) => !EXPECTED_REFUSALS.has(code))).toEqual([]);
    expect(result.requests).toBeGreaterThan(1000 * (ROUNDS / 3));
  }, 120_000);
});

describeWith('postgres', 'four processes and one PostgreSQL', () => {
  let postgres: PostgresServer;
  let apps: Apps;

  beforeAll(async () => {
    postgres = await startPostgres();
    apps = new Apps({ store: { kind: 'postgres', url: postgres.connectionString }, options });
    await apps.start(PROCESSES);
  }, 60_000);
  afterAll(async () => {
    await apps.stop();
    await postgres.stop();
  });

  test('nothing acknowledged is lost, nothing comes back, counters are exact', async () => {
    const pool = new Pool({ connectionString: postgres.connectionString });
    const result = await load(apps, async (id) => {
      const { rows } = await pool.query('SELECT sess FROM session WHERE sid = $1 AND expire > now()', [id]);
      return dataOf(rows[0]?.sess);
    });
    await pool.end();
    tell('PostgreSQL', result);

    expect(result.faults).toEqual([]);
    expect(result.refused.filter((code) => !EXPECTED_REFUSALS.has(code))).toEqual([]);
    expect(result.requests).toBeGreaterThan(1000 * (ROUNDS / 3));
  }, 120_000);
});

/** What requests are told that come too late, or whose session is ended while they run. */
const EXPECTED_REFUSALS = new Set(['not found', 'ERR_SESSION_GONE', 'ERR_SESSION_INTERRUPTED']);
