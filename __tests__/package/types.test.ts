import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWith } from '../support/servers.js';
import {
  addSources,
  installProject,
  ownRanges,
  packRepository,
  remove,
  run,
  temporaryDirectory,
} from './project.js';

jest.setTimeout(300_000);

const VERSIONS = ['5.9', '6.0', '7.0'] as const;
type Version = (typeof VERSIONS)[number];

const NODE = ownRanges(['@types/node']);
const EXPRESS_5 = { ...NODE, ...ownRanges(['@types/express']) };
const EXPRESS_4 = { ...NODE, '@types/express': '^4.17.25' };
const THEIRS = { '@types/express-session': '^1.18.2' };

const COMMONJS = ['require.cts', 'default.cts'];
const PLAIN = [...COMMONJS, 'module.mts', 'typed.mts'];
const WITH_EXPRESS = [...PLAIN, 'express.mts'];
const WITHOUT_THEIRS = [...WITH_EXPRESS, 'typed-express.mts'];

/** The projects that the package is installed in: its name there, the types beside it, and what is compiled. */
const PROJECTS = [
  {
    title: 'Node only',
    name: 'steady-session',
    types: NODE,
    sources: [...PLAIN, 'promises.mts', 'undefined.mts'],
  },
  {
    title: 'Express 5',
    name: 'steady-session',
    types: EXPRESS_5,
    sources: [...WITHOUT_THEIRS, 'promises.mts'],
  },
  { title: 'Express 4', name: 'steady-session', types: EXPRESS_4, sources: WITHOUT_THEIRS },
  {
    title: 'Express 5 and @types/express-session',
    name: 'steady-session',
    types: { ...EXPRESS_5, ...THEIRS },
    sources: [...WITH_EXPRESS, 'theirs.mts'],
  },
  {
    title: 'Express 5, installed as express-session',
    name: 'express-session',
    types: EXPRESS_5,
    sources: [...WITHOUT_THEIRS, 'promises.mts'],
  },
  {
    title: 'Express 5 and @types/express-session, installed as express-session',
    name: 'express-session',
    types: { ...EXPRESS_5, ...THEIRS },
    sources: WITH_EXPRESS,
  },
] as const;

/** Other ways to compile than `module: nodenext`, tried where Express 5 is. */
const MODES = [
  {
    title: 'for a bundler',
    versions: VERSIONS,
    module: 'esnext',
    resolution: 'bundler',
    sources: ['module.mts', 'typed.mts', 'express.mts'],
  },
  {
    title: 'to CommonJS',
    versions: ['6.0', '7.0'],
    module: 'commonjs',
    resolution: 'bundler',
    sources: COMMONJS,
  },
  {
    title: 'to CommonJS, resolved as of old',
    versions: ['5.9', '6.0'],
    module: 'commonjs',
    resolution: 'node10',
    sources: COMMONJS,
  },
] as const;

describeWith('npm-registry', 'the types of the packed package', () => {
  const root = temporaryDirectory();
  const compilers = join(root, 'compilers');
  const directoryOf = (title: string) => join(root, title.replace(/\W+/g, '-'));

  beforeAll(async () => {
    const { tarball } = packRepository(root);
    await Promise.all([
      installProject(
        compilers,
        Object.fromEntries(VERSIONS.map((version) => [alias(version), `npm:typescript@~${version}.0`])),
      ),
      ...PROJECTS.map(({ title, name, types }) =>
        installProject(directoryOf(title), { [name]: `file:${tarball}`, ...types }),
      ),
    ]);
    for (const { title, name, sources } of PROJECTS) {
      addSources(
        directoryOf(title),
        [...new Set([...sources, ...WITHOUT_THEIRS])].map((file) => `types/${file}`),
        (text) => text.replaceAll('steady-session', name),
      );
    }
  });

  afterAll(() => remove(root));

  describe.each(VERSIONS)('TypeScript %s', (version) => {
    test.each(PROJECTS)('$title', async ({ title, sources }) => {
      // Version 5.9 takes in all types that are installed; later ones need to be asked.
      const types = version === '5.9' ? undefined : ['*'];
      const found = await compile(directoryOf(title), version, { module: 'nodenext', types }, sources);

      expect(found).toEqual({ code: 0, output: '' });
    });

    test('Express 5, without exactOptionalPropertyTypes, as most projects are', async () => {
      const options = { module: 'nodenext', types: ['node'], exactOptionalPropertyTypes: false };
      const found = await compile(directoryOf('Express 5'), version, options, WITHOUT_THEIRS);

      expect(found).toEqual({ code: 0, output: '' });
    });

    test('@types/express-session, installed as express-session, and left out by the option `types`', async () => {
      const title = 'Express 5 and @types/express-session, installed as express-session';
      const options = { module: 'nodenext', types: ['node'] };
      const found = await compile(directoryOf(title), version, options, WITHOUT_THEIRS);

      expect(found).toEqual({ code: 0, output: '' });
    });

    const modes = MODES.filter(({ versions }) => (versions as readonly Version[]).includes(version));
    test.each(modes)('Express 5, compiled $title', async ({ module, resolution, sources }) => {
      const options = { module, moduleResolution: resolution, types: ['node'] };
      const found = await compile(directoryOf('Express 5'), version, options, sources);

      expect(found).toEqual({ code: 0, output: '' });
    });
  });

  async function compile(directory: string, version: Version, options: object, files: readonly string[]) {
    const project = join(directory, 'tsconfig.json');
    const compilerOptions = {
      ...{ target: 'es2022', lib: ['es2022'], strict: true, exactOptionalPropertyTypes: true },
      ...{ skipLibCheck: false, noEmit: true, esModuleInterop: true },
      ...(version === '6.0' ? { ignoreDeprecations: '6.0' } : {}),
      ...options,
    };
    writeFileSync(project, JSON.stringify({ compilerOptions, files }));
    const tsc = join(compilers, 'node_modules', alias(version), 'bin', 'tsc');
    return run(process.execPath, [tsc, '-p', project], directory);
  }
});

function alias(version: Version): string {
  return `typescript-${version}`;
}
