import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import * as api from '../../lib/api.js';
import session from '../../lib/index.js';
import { describeWith, startPostgres, startRedis } from '../support/servers.js';
import { Visitor, withApp } from './app.js';
import {
  addSources,
  installProject,
  ownRanges,
  type PackedPackage,
  packRepository,
  readManifest,
  remove,
  run,
  temporaryDirectory,
} from './project.js';

jest.setTimeout(120_000);

const ROOT = join(__dirname, '..', '..');

const ANN = { username: 'ann', password: 'correct' };

const publicNames = Object.keys(api).sort();

const OLD_STORES = ['connect-redis', 'connect-pg-simple', 'memorystore', 'session-file-store'];

test('session() has every public value as a property, for the compiler too', () => {
  const face: typeof api = session;

  expect({ ...face }).toEqual({ ...api });
});

// npm compares what stores for express-session ask of it (connect-mongo: ^1.17.1) with the version of what stands in
// for it. A pre-release satisfies no such range.
test('has a version that installs beside the stores made for express-session', () => {
  expect(readManifest(ROOT)['version']).toMatch(/^1\.(1[89]|[2-9]\d)\.\d+$/);
});

describeWith('npm-registry', 'the packed package', () => {
  const root = temporaryDirectory();
  const project = join(root, 'project');
  let packed: PackedPackage;

  beforeAll(async () => {
    packed = packRepository(root);
    await installProject(project, {
      'steady-session': `file:${packed.tarball}`,
      'express-session': `file:${packed.tarball}`,
      ...ownRanges(['express', 'passport', 'passport-local', 'redis', 'pg', ...OLD_STORES]),
    });
    addSources(project, ['run/cjs.cjs', 'run/esm.mjs', 'run/deep.cjs', 'run/throws.cjs', 'run/app.cjs']);
  });

  afterAll(() => remove(root));

  test('installs beside clients and stores of earlier years, which it has nothing to do with', async () => {
    const clients = { redis: '^4.7.1', ioredis: '^4.31.0', pg: '^7.18.2', 'connect-redis': '^7.1.1' };
    const tarball = `file:${packed.tarball}`;
    await installProject(join(root, 'earlier'), {
      ...{ 'steady-session': tarball, 'express-session': tarball },
      ...clients,
    });

    expect(readManifest(join(root, 'earlier/node_modules/redis'))['version']).toMatch(/^4\./);
  });

  test('holds compiled code with its types and source maps, and nothing else', () => {
    const others = packed.files.filter((file) => !/^dist\/.*\.(js|d\.ts|js\.map)$/.test(file));
    const mapped = packed.files.filter((file) => file.endsWith('.js')).map((file) => `${file}.map`);

    expect(others.sort()).toEqual(['LICENSE', 'README.md', 'package.json']);
    expect(packed.files).toEqual(expect.arrayContaining(mapped));
    expect(packed.files.filter((file) => /test|example|bench/i.test(file))).toEqual([]);
  });

  test('is as large as the README says', () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
    const [, kB, MB] = /A download of (\d+) kB, (\d\.\d) MB on disk/.exec(readme) ?? [];

    expect(isAbout(Number(kB), packed.size / 1000)).toBe(true);
    expect(isAbout(Number(MB), packed.unpackedSize / 1_000_000)).toBe(true);
  });

  test('each compiled file has a source map, with its source in it', () => {
    const installed = (file: string) =>
      readFileSync(join(project, 'node_modules/steady-session', file), 'utf8');
    const compiled = packed.files.filter((file) => file.endsWith('.js'));
    const found = compiled.map((file) => {
      const [, map = ''] = /^\/\/# sourceMappingURL=(.+)$/m.exec(installed(file)) ?? [];
      const { sources, sourcesContent } = JSON.parse(installed(join(dirname(file), map)));
      return { file, sources: sources.map((path: string) => join(dirname(file), path)), sourcesContent };
    });

    const wanted = compiled.map((file) => {
      const source = file.replace('dist/', 'lib/').replace(/\.js$/, '.ts');
      return { file, sources: [source], sourcesContent: [readFileSync(join(ROOT, source), 'utf8')] };
    });
    expect(found).toEqual(wanted);
  });

  test('a stack trace shows the TypeScript', async () => {
    const thrown = await run(process.execPath, ['--enable-source-maps', 'throws.cjs'], project);

    expect(thrown).toEqual({ code: 0, output: expect.stringMatching(/^lib\/read-options\.ts:\d+\n$/) });
  });

  test('require() gives a function with all else as its properties', async () => {
    const found = await printed('cjs.cjs');

    expect(found).toEqual({
      callable: 'function',
      properties: publicNames,
      storeIsBase: true,
      subclass: true,
      oldSubclass: true,
      middleware: 3,
    });
  });

  test('import gives the same function as its default, and what each entry point has by name', async () => {
    const found = await printed('esm.mjs', ...entryPoints().map(([path]) => path));

    expect(found).toEqual({
      sameFunction: true,
      sameStore: true,
      storeIsBase: true,
      named: ['Cookie', 'MemoryStore', 'Session', 'Store'],
      recommendedIsFrozen: true,
      names: Object.fromEntries(entryPoints()),
    });
  });

  test('gives what the files of express-session give, under the same paths', async () => {
    const expected = realPaths().map((path) => [path, OURS[basename(path, '.js')]]);

    expect(await printed('deep.cjs', ...realPaths())).toEqual(Object.fromEntries(expected));
  });

  describe('installed as express-session', () => {
    test.each([
      ['MemoryStore', 'MemoryStore'],
      ['memorystore', 'MemoryStore'],
      ['session-file-store', 'FileStore'],
    ])('passport logs in and out over %s', async (store, storeClass) => {
      const facts = await withApp(project, [store, join(root, 'files')], async (address, facts) => {
        await visitLogInAndOut(address);
        return facts;
      });

      expect(facts).toEqual({ package: 'steady-session', store: storeClass });
    });

    test('a login over session-file-store outlives a restart', () =>
      logInRestartAndLogOut(['session-file-store', join(root, 'lasting-files')]));

    describeWith('redis-server', 'over connect-redis', () => {
      test('passport logs in and out, and a login outlives a restart', () =>
        withServer(startRedis(), async ({ url }) => {
          await withApp(project, ['connect-redis', url], visitLogInAndOut);
          await logInRestartAndLogOut(['connect-redis', url]);
        }));
    });

    describeWith('postgres', 'over connect-pg-simple', () => {
      test('passport logs in and out, and a login outlives a restart', () =>
        withServer(startPostgres(), async ({ connectionString }) => {
          await withApp(project, ['connect-pg-simple', connectionString], visitLogInAndOut);
          await logInRestartAndLogOut(['connect-pg-simple', connectionString]);
        }));
    });
  });

  /** In the steps of a user; the session's id changes at login and at logout, as passport has it. */
  async function visitLogInAndOut(address: string): Promise<void> {
    const visitor = new Visitor();
    expect(await visitor.get(`${address}/me`)).toEqual({ user: null });
    expect(visitor.cookie).toBe('');

    expect(await visitor.post(`${address}/visits`)).toEqual({ visits: 1 });
    const before = visitor.cookie;
    expect(await visitor.post(`${address}/visits`)).toEqual({ visits: 2 });
    expect(visitor.cookie).toBe(before);
    expect(await visitor.get(`${address}/stored`)).toEqual({ visits: 2, user: null });

    expect(await visitor.post(`${address}/login`, { username: 'ann', password: 'wrong' })).toBe(401);
    expect(await visitor.post(`${address}/login`, ANN)).toEqual({ id: 'ann' });
    expect(visitor.cookie).not.toBe(before);
    expect(await visitor.get(`${address}/stored`)).toEqual({ visits: null, user: 'ann' });

    const loggedIn = visitor.cookie;
    expect(await visitor.post(`${address}/logout`)).toEqual({ user: null });
    expect(await visitor.get(`${address}/me`)).toEqual({ user: null });
    visitor.cookie = loggedIn;
    expect(await visitor.get(`${address}/me`)).toEqual({ user: null });
  }

  async function logInRestartAndLogOut(args: readonly string[]): Promise<void> {
    const visitor = new Visitor();
    await withApp(project, args, async (address) => {
      expect(await visitor.post(`${address}/login`, ANN)).toEqual({ id: 'ann' });
    });
    await withApp(project, args, async (address) => {
      expect(await visitor.get(`${address}/me`)).toEqual({ user: 'ann' });
      expect(await visitor.post(`${address}/logout`)).toEqual({ user: null });
      expect(await visitor.get(`${address}/me`)).toEqual({ user: null });
    });
  }

  async function printed(script: string, ...args: string[]): Promise<unknown> {
    const { code, output } = await run(process.execPath, [script, ...args], project);
    expect({ script, code, output }).toMatchObject({ code: 0 });
    return JSON.parse(output);
  }
});

/** Within a tenth: a size that is stated need not follow each line of code. */
function isAbout(stated: number, measured: number): boolean {
  return Math.abs(stated - measured) < measured / 10;
}

/** What each file of express-session is here. */
const OURS: Record<string, string> = {
  index: 'all of it',
  cookie: 'Cookie',
  memory: 'MemoryStore',
  session: 'Session',
  store: 'Store',
};

/** The files of express-session, as they are asked for: with their ending and without. */
function realPaths(): string[] {
  const directory = dirname(require.resolve('express-session'));
  const files = ['index.js', ...readdirSync(join(directory, 'session')).map((file) => `session/${file}`)];
  return files.flatMap((file) => [`express-session/${file}`, `express-session/${file.replace(/\.js$/, '')}`]);
}

/** Each entry point that express-session lacks, and the main one, with the names of what its source exports. */
function entryPoints(): [string, string[]][] {
  const { exports } = readManifest(ROOT) as { exports: Record<string, { default?: string }> };
  const theirs = realPaths().map((path) => path.replace('express-session', '.'));
  return Object.entries(exports).flatMap(([path, { default: file }]): [string, string[]][] => {
    if (file === undefined || theirs.includes(path)) return [];
    const source = join(ROOT, file.replace('./dist/', 'lib/').replace(/\.js$/, '.ts'));
    return [[path.replace('.', 'steady-session'), Object.keys(require(source)).sort()]];
  });
}

async function withServer<Server extends { stop(): Promise<void> }>(
  starting: Promise<Server>,
  use: (server: Server) => Promise<void>,
): Promise<void> {
  const server = await starting;
  try {
    await use(server);
  } finally {
    await server.stop();
  }
}
