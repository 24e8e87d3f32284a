import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { accessSync, chownSync, constants, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect as tcpConnect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { sqliteClients } from './sqlite.js';

/** A server that runs for a test: on a port of its own, its files in a temporary directory of its own. */
export interface RunningServer {
  readonly host: string;
  readonly port: number;
  /** The directory of its files. */
  readonly dir: string;
  /** Ends the server and removes its files. May be called again, and after `kill`. */
  stop(): Promise<void>;
  /** Ends the server with SIGKILL, as a crash would. Its files stay for `restart`. */
  kill(): Promise<void>;
  /** Freezes the server (SIGSTOP): connections stay open and nothing is answered. */
  pause(): void;
  /** Lets a paused server go on. */
  resume(): void;
  /** Starts the server again on the same port and files; one that still runs is killed first. */
  restart(): Promise<void>;
}

export interface RedisServer extends RunningServer {
  readonly url: string;
}

export interface PostgresServer extends RunningServer {
  readonly connectionString: string;
}

export interface RedisCluster {
  readonly nodes: readonly RedisServer[];
  /** What node-redis' `createCluster({ rootNodes })` takes. */
  readonly rootNodes: { url: string }[];
  /** Resolves when all nodes are up and agree that all slots are served: at the start, or after a node's restart. */
  whole(): Promise<void>;
  stop(): Promise<void>;
}

/** A Redis server, its replica, and one Sentinel that sees to it that the replica takes over. */
export interface RedisWithSentinel {
  readonly primary: RedisServer;
  readonly replica: RedisServer;
  /** What the clients' `sentinelRootNodes` and `sentinels` take; the Sentinel calls what it watches `sessions`. */
  readonly sentinels: { host: string; port: number }[];
  stop(): Promise<void>;
}

/**
 * A Redis (or Valkey) server without persistence. `args` are added to its command line, for example
 * `['--appendonly', 'yes', '--appendfsync', 'always']` where a test kills and restarts it.
 */
export async function startRedis(args: string[] = []): Promise<RedisServer> {
  const server = await launch({
    program: need(redisProgram(), 'redis-server'),
    args: ({ dir, host, port }) => [
      ...['--port', `${port}`, '--bind', host, '--dir', dir, '--save', '', '--appendonly', 'no'],
      ...args,
    ],
    // Any answer will do (-NOAUTH where a password is asked for), except that it is still loading its files.
    ready: ({ host, port }) => answers(host, port, 'PING\r\n', /^(?!-LOADING)[+-].*\r\n/),
  });
  return Object.assign(server, { url: `redis://${server.host}:${server.port}` });
}

/** A Redis Cluster of `size` masters that share the slots evenly, ready for use. */
export async function startRedisCluster(size = 3): Promise<RedisCluster> {
  const settings = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000'];
  const nodes = await Promise.all(Array.from({ length: size }, () => startRedis(settings)));
  try {
    await formCluster(nodes);
  } catch (error) {
    await Promise.all(nodes.map((node) => node.stop()));
    throw error;
  }
  return {
    nodes,
    rootNodes: nodes.map(({ url }) => ({ url })),
    whole: () => untilWhole(nodes),
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
}

/** Ready when the replica has all data, and the Sentinel knows of it. */
export async function startRedisWithSentinel(): Promise<RedisWithSentinel> {
  const primary = await startRedis(['--repl-diskless-sync-delay', '0']);
  const replica = await startRedis(['--replicaof', primary.host, `${primary.port}`]);
  const sentinel = await startSentinel(primary);
  const servers = [sentinel, replica, primary];
  try {
    await until(replica, 'INFO replication', /master_link_status:up/);
    await until(sentinel, 'SENTINEL REPLICAS sessions', new RegExp(`\\b${replica.port}\\b`));
  } catch (error) {
    await Promise.all(servers.map((server) => server.stop()));
    throw error;
  }
  return {
    primary,
    replica,
    sentinels: [{ host: sentinel.host, port: sentinel.port }],
    async stop() {
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

function startSentinel(primary: RedisServer): Promise<RunningServer> {
  const file = ({ dir }: Place) => join(dir, 'sentinel.conf');
  return launch({
    program: need(redisProgram(), 'redis-server'),
    prepare: async (place) => {
      const lines = [
        ...[`port ${place.port}`, `bind ${place.host}`, `dir ${place.dir}`],
        `sentinel monitor sessions ${primary.host} ${primary.port} 1`,
        'sentinel down-after-milliseconds sessions 500',
      ];
      writeFileSync(file(place), `${lines.join('\n')}\n`);
      if (place.user.uid !== undefined) chownSync(file(place), place.user.uid, place.user.gid ?? -1); // it notes there what it learns
    },
    args: (place) => [file(place), '--sentinel'],
    ready: ({ host, port }) => answers(host, port, 'PING\r\n', /^\+PONG/),
  });
}

/**
 * A PostgreSQL server with the database and user `postgres`, who needs the password in the connection string.
 * `args` are added to its command line, for example `['-c', 'max_connections=200']`.
 */
export async function startPostgres(args: string[] = []): Promise<PostgresServer> {
  const password = 'secret';
  const server = await launch({
    program: need(postgresProgram('postgres'), 'postgres'),
    prepare: ({ dir, user }) => initializeDatabase(dir, user, password),
    args: ({ dir, host, port }) => [
      ...['-D', join(dir, 'data'), '-k', dir, '-h', host, '-p', `${port}`, '-c', 'fsync=off'],
      ...args,
    ],
    ready: async (place) => place.output().includes('ready to accept connections'),
    forks: true,
    mustWait: /pre-existing shared memory block|lock file "[^"]*" already exists/,
    // "Immediate shutdown": ends the server's processes too, and frees their shared memory.
    stopSignal: 'SIGQUIT',
  });
  const address = `${server.host}:${server.port}`;
  return Object.assign(server, { connectionString: `postgres://postgres:${password}@${address}/postgres` });
}

export async function startMemcached(args: string[] = []): Promise<RunningServer> {
  return launch({
    program: need(findProgram('memcached'), 'memcached'),
    args: ({ host, port }) => ['-l', host, '-p', `${port}`, '-U', '0', ...args],
    ready: ({ host, port }) => answers(host, port, 'version\r\n', /^VERSION/),
  });
}

/**
 * A port that nobody listens on, and whose number plus 10,000 (the bus of a Redis Cluster node) is free too.
 *
 * It lies below the range from which the system takes the ports of outgoing connections. In that range another
 * process could take it between two starts of a server; and a client that keeps dialling a dead server on
 * loopback can even be connected to itself, which would keep the server from coming back.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(10_000, 22_000);
    if ((await isFree(port)) && (await isFree(port + 10_000))) return port;
  }
  throw new Error('No free port between 10000 and 22000.');
}

/** What a group of tests needs, each with a check that gives the reason why it can't be had, if so. */
const requirements = {
  'redis-server': () => absent(redisProgram(), 'redis-server is not installed'),
  postgres: () =>
    absent(postgresProgram('initdb'), 'PostgreSQL is not installed') ?? unprivilegedUser().reason,
  memcached: () => absent(findProgram('memcached'), 'memcached is not installed'),
  chromium: () =>
    absent(findProgram('chromium', 'chromium-browser', 'google-chrome'), 'Chromium is not installed'),
  sqlite: () => absent(sqliteClients()[0], 'neither node:sqlite (Node 22.13) nor better-sqlite3 works here'),
  'npm-registry': () => absent(answerOfRegistry(), 'the npm registry can not be reached'),
} satisfies Record<string, () => string | undefined>;

export type Requirement = keyof typeof requirements;

/**
 * `describe` where what is needed is installed. Elsewhere one skipped test tells the reason, or with the
 * environment variable STEADY_REQUIRE_ALL=1 one failing test, so that CI can't skip anything unnoticed.
 */
export function describeWith(requirement: Requirement, title: string, body: () => void): void {
  const reason = requirements[requirement]();
  if (reason === undefined) {
    describe(title, body);
  } else if (process.env['STEADY_REQUIRE_ALL'] === '1') {
    test(title, () => {
      throw new Error(`STEADY_REQUIRE_ALL=1, but ${reason}.`);
    });
  } else {
    test.skip(`${title}: skipped, ${reason}`, () => {});
  }
}

/** The path of Chromium, for `describeWith('chromium', ...)`. */
export function chromiumPath(): string {
  return need(findProgram('chromium', 'chromium-browser', 'google-chrome'), 'chromium');
}

// ---------------------------------------------------------------------------------------- starting a process

interface Place {
  readonly host: string;
  readonly port: number;
  readonly dir: string;
  readonly user: User;
  /** What the server has printed so far. */
  output(): string;
}

interface Recipe {
  program: string;
  prepare?(place: Place): Promise<void>;
  args(place: Place): string[];
  ready(place: Place): Promise<boolean>;
  /** Whether it forks processes that a signal to it alone would not reach. */
  forks?: boolean;
  /** What it prints when it can't start yet, since what was killed has not quite ended. */
  mustWait?: RegExp;
  stopSignal?: NodeJS.Signals;
}

interface User {
  uid?: number;
  gid?: number;
  reason?: string;
}

const START_TIMEOUT = 30_000;

async function launch(recipe: Recipe): Promise<RunningServer> {
  const dir = mkdtempSync(join(tmpdir(), 'steady-session-'));
  try {
    const user = unprivilegedUser();
    if (user.uid !== undefined) chownSync(dir, user.uid, user.gid ?? user.uid);
    const server = new Server(recipe, dir, user, await freePort());
    await recipe.prepare?.(server);
    await server.start();
    return server;
  } catch (error) {
    rmSync(dir, { recursive: true, force: true });
    throw error;
  }
}

class Server implements RunningServer, Place {
  readonly host = '127.0.0.1';
  #child: ChildProcess | undefined;
  #printed = '';
  #allPrinted: Promise<unknown> | undefined;

  constructor(
    readonly recipe: Recipe,
    readonly dir: string,
    readonly user: User,
    readonly port: number,
  ) {}

  async start(): Promise<void> {
    const { program, ready, mustWait } = this.recipe;
    const deadline = Date.now() + START_TIMEOUT;
    let child = await this.#spawn();
    while (!(await ready(this))) {
      if (!isRunning(child)) {
        await this.#allPrinted;
        if (mustWait?.test(this.#printed)) child = await this.#spawn();
      }
      if (!isRunning(child) || Date.now() > deadline) {
        await this.kill();
        throw new Error(`${program} did not start. It printed:\n${this.#printed}`);
      }
      await delay(10);
    }
  }

  async #spawn(): Promise<ChildProcess> {
    const { program, args, stopSignal = 'SIGKILL' } = this.recipe;
    this.#printed = '';
    const child = spawn(program, args(this), {
      ...ids(this.user),
      cwd: this.dir,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        this.#printed += chunk;
      });
    }
    await once(child, 'spawn');
    this.#allPrinted = once(child, 'close');
    this.#child = child;
    endWithThisProcess(child, stopSignal, this.dir);
    return child;
  }

  output(): string {
    return this.#printed;
  }

  async stop(): Promise<void> {
    await this.#end(this.recipe.stopSignal ?? 'SIGKILL');
    rmSync(this.dir, { recursive: true, force: true });
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  pause(): void {
    this.#signal('SIGSTOP');
  }

  resume(): void {
    this.#signal('SIGCONT');
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (!child || !isRunning(child)) return;
    const exited = once(child, 'exit');
    if (signal === 'SIGKILL') {
      this.#signal(signal);
    } else {
      this.resume(); // a frozen process would not see the signal
      child.kill(signal);
    }
    await exited;
  }

  /** To the server and what it has forked: PostgreSQL has a process for each connection. */
  #signal(signal: NodeJS.Signals): void {
    const child = this.#child;
    if (!child || !isRunning(child)) return;
    const forked = this.recipe.forks ? forkedBy(child.pid!) : [];
    child.kill(signal);
    for (const pid of forked) {
      try {
        process.kill(pid, signal);
      } catch {} // it has ended by itself
    }
  }
}

/**
 * Sees to it that a server never outlives the tests, even if this process is killed: a shell waits for the end
 * of its standard input, which comes with the end of this process, however that ends.
 */
function endWithThisProcess(server: ChildProcess, signal: NodeJS.Signals, dir: string): void {
  const script = 'read never; kill -CONT "$1"; kill -"$2" "$1"; sleep 1; rm -rf "$3"';
  const args = ['-c', script, 'sh', `${server.pid}`, signal.slice(3), dir];
  // Detached, so that Ctrl-C, which goes to the whole group of processes, doesn't end it before its work is done.
  const reaper = spawn('sh', args, { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  reaper.unref();
  server.once('exit', () => reaper.kill('SIGKILL'));
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

function forkedBy(parent: number): number[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, ppid]) => ppid === parent)
    .map(([pid]) => pid!);
}

/** Servers refuse to run as root, or should not: then the user whom they run as. */
function unprivilegedUser(): User {
  if (process.getuid?.() !== 0) return {};
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (kind: string) =>
        Number(execFileSync('id', [kind, name], { encoding: 'utf8', stdio: 'pipe' }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {} // no such user: try the next
  }
  return { reason: 'this is root and there is neither a user postgres nor nobody to run the server as' };
}

function ids({ uid, gid }: User): { uid?: number; gid?: number } {
  return uid === undefined || gid === undefined ? {} : { uid, gid };
}

// --------------------------------------------------------------------------------------- finding the programs

function redisProgram(): string | undefined {
  return findProgram('redis-server', 'valkey-server');
}

function postgresProgram(name: string): string | undefined {
  return findProgram(name) ?? newestPostgres(name);
}

/** Debian and Ubuntu keep the server's programs out of PATH, in one directory for each version. */
function newestPostgres(name: string): string | undefined {
  const root = '/usr/lib/postgresql';
  try {
    const versions = readdirSync(root).sort((a, b) => Number(b) - Number(a));
    return versions.map((version) => join(root, version, 'bin', name)).find(isExecutable);
  } catch {
    return undefined;
  }
}

function findProgram(...names: string[]): string | undefined {
  const directories = (process.env['PATH'] ?? '').split(delimiter);
  return names.flatMap((name) => directories.map((directory) => join(directory, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The answer to a small question, or `undefined` where there is no network. */
function answerOfRegistry(): string | undefined {
  const args = ['view', 'cookie', 'version', '--fetch-retries=0', '--fetch-timeout=10000'];
  try {
    return execFileSync('npm', args, { encoding: 'utf8', stdio: 'pipe', timeout: 30_000 });
  } catch {
    return undefined;
  }
}

function absent(found: string | undefined, reason: string): string | undefined {
  return found === undefined ? reason : undefined;
}

function need(program: string | undefined, name: string): string {
  if (program === undefined) throw new Error(`${name} is not installed; wrap the tests in describeWith().`);
  return program;
}

// ------------------------------------------------------------------------------------------ talking to servers

/** Whether what the server answers to `request` matches. `false` while it does not listen yet. */
function answers(host: string, port: number, request: string, expected: RegExp): Promise<boolean> {
  return ask(host, port, request, expected, 100).then(
    () => true,
    () => false,
  );
}

/** Sends one line and resolves with the answer once it matches, within `patience` ms. */
function ask(
  host: string,
  port: number,
  request: string,
  expected: RegExp,
  patience = 5000,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = tcpConnect(port, host, () => socket.write(request));
    socket.setTimeout(patience, () => socket.destroy(new Error('no answer')));
    socket.on('data', (chunk) => {
      answer += chunk;
      if (!expected.test(answer)) return;
      resolve(answer);
      socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`Asked ${request.slice(0, 40)}, got ${answer}`)));
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

const SLOTS = 16_384;

async function formCluster(nodes: RedisServer[]): Promise<void> {
  const [first] = nodes;
  const boundary = (index: number) => Math.floor((index * SLOTS) / nodes.length);
  await Promise.all(
    nodes.map(async ({ host, port }, index) => {
      const slots = Array.from(
        { length: boundary(index + 1) - boundary(index) },
        (_, n) => boundary(index) + n,
      );
      await ask(host, port, `CLUSTER ADDSLOTS ${slots.join(' ')}\r\n`, /^\+OK/);
      await ask(host, port, `CLUSTER SET-CONFIG-EPOCH ${index + 1}\r\n`, /^\+OK/);
    }),
  );
  for (const { host, port } of nodes.slice(1)) {
    await ask(host, port, `CLUSTER MEET ${first!.host} ${first!.port}\r\n`, /^\+OK/);
  }
  await untilWhole(nodes);
}

async function untilWhole(nodes: readonly RedisServer[]): Promise<void> {
  const whole = new RegExp(
    `cluster_state:ok[\\s\\S]*cluster_slots_ok:${SLOTS}[\\s\\S]*cluster_size:${nodes.length}`,
  );
  await Promise.all(nodes.map((node) => until(node, 'CLUSTER INFO', whole)));
}

/** Asks again and again until the answer matches. */
async function until({ host, port }: RunningServer, command: string, expected: RegExp): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT;
  while (!(await answers(host, port, `${command}\r\n`, expected))) {
    if (Date.now() > deadline) throw new Error(`The answer to ${command} never matched ${expected}.`);
    await delay(50);
  }
}

async function initializeDatabase(dir: string, user: User, password: string): Promise<void> {
  const passwordFile = join(dir, 'password');
  writeFileSync(passwordFile, password);
  const options = [
    ...['-D', join(dir, 'data'), '-U', 'postgres', `--pwfile=${passwordFile}`],
    ...['--auth=scram-sha-256', '-E', 'UTF8', '--no-locale', '--no-sync'],
  ];
  await promisify(execFile)(need(postgresProgram('initdb'), 'initdb'), options, { ...ids(user), cwd: dir });
}
