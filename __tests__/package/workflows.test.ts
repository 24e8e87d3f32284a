/** What the workflows must not lose: a package that is tested before it is published, with its provenance. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readManifest } from './project.js';

const ROOT = join(__dirname, '../..');

const read = (name: string) => readFileSync(join(ROOT, '.github/workflows', name), 'utf8');
const ci = read('ci.yml');
const release = read('release.yml');

/** What follows a key, in each line that has it. */
function valuesOf(workflow: string, key: string): string[] {
  return [...workflow.matchAll(new RegExp(`^[ -]*${key}: *(.*?)(?: #.*)?$`, 'gm'))].map(
    ([, value]) => value!,
  );
}

test('CI runs everything, on each supported version of Node.js', () => {
  expect(valuesOf(ci, 'node')).toEqual(['[20, 22, 24]']);
  expect(valuesOf(ci, 'run')).toEqual(['.ci/run']);
  expect(existsSync(join(ROOT, '.ci/run'))).toBe(true);
  expect(readManifest(ROOT)).toMatchObject({ engines: { node: '>=20' } });
});

test('a release is of a tag, and comes after CI', () => {
  expect(valuesOf(release, 'tags')).toEqual(['["v*"]']);
  expect(valuesOf(release, 'needs')).toEqual(['check']);
  expect(valuesOf(release, 'uses')[0]).toBe('./.github/workflows/ci.yml');
});

test('it is published with provenance', () => {
  expect(valuesOf(release, 'run').slice(1)).toEqual(['npm ci', 'npm publish --provenance --access public']);
});

// `npm ci` refuses another one, on every platform: npm leaves entries out where it makes the file from what is installed.
test('the lock file has each package that others in it may install', () => {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>;
  };
  const wanted = Object.values(packages).flatMap(({ optionalDependencies = {} }) =>
    Object.keys(optionalDependencies),
  );
  const has = (name: string) => Object.keys(packages).some((path) => path.endsWith(`node_modules/${name}`));

  expect(wanted.length).toBeGreaterThan(50);
  expect(wanted.filter((name) => !has(name))).toEqual([]);
});

test('workflows may read the code, and the one that publishes may say who it is; nothing more', () => {
  expect(valuesOf(ci, 'contents')).toEqual(['read']);
  expect(valuesOf(release, 'contents')).toEqual(['read', 'read']);
  expect(valuesOf(release, 'id-token')).toEqual(['write']);
  expect((ci + release).match(/: write\b/g)).toHaveLength(1);
});

test.each([
  ['ci.yml', ci],
  ['release.yml', release],
])("%s uses GitHub's own actions, by their major version, and no secrets", (_, workflow) => {
  const actions = valuesOf(workflow, 'uses').filter((name) => !name.startsWith('./'));

  expect(actions).toEqual(actions.filter((name) => /^actions\/[a-z-]+@v\d+$/.test(name)));
  expect(actions[0]).toBe('actions/checkout@v5');
  expect(workflow).not.toContain('secrets.');
});
