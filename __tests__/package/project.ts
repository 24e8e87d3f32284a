import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';

const ROOT = join(__dirname, '..', '..');

export interface PackedPackage {
  /** The path of the tarball. */
  readonly tarball: string;
  /** Paths of the files in the tarball. */
  readonly files: readonly string[];
  /** Of the tarball, in bytes. */
  readonly size: number;
  /** Of all files in it, in bytes. */
  readonly unpackedSize: number;
}

/** What a program printed, on both of its outputs, and its exit code. */
export interface Outcome {
  readonly code: number;
  readonly output: string;
}

export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'steady-session-package-'));
}

/** Packs the repository as for publishing, from a copy: packing builds, and others may be using `dist`. */
export function packRepository(directory: string): PackedPackage {
  const copy = join(directory, 'repository');
  const skipped = new Set(['node_modules', '.git', 'dist', 'coverage', 'reports', '.stryker-tmp']);
  cpSync(ROOT, copy, { recursive: true, filter: (path) => !skipped.has(relative(ROOT, path)) });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  const args = ['pack', '--json', '--pack-destination', directory];
  const options = { cwd: copy, env: plainEnvironment(), encoding: 'utf8', stdio: 'pipe' } as const;
  const printed = execFileSync('npm', args, options);
  // The output of the build script comes first.
  const [packed] = JSON.parse(printed.slice(printed.indexOf('[\n'))) as [
    { filename: string; files: { path: string }[]; size: number; unpackedSize: number },
  ];
  const { filename, files, size, unpackedSize } = packed;
  return { tarball: join(directory, filename), files: files.map(({ path }) => path), size, unpackedSize };
}

/** A new project with these dependencies, installed by npm as a user's would be. */
export async function installProject(directory: string, dependencies: Record<string, string>): Promise<void> {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ private: true, dependencies }));
  const args = ['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  const { code, output } = await run('npm', args, directory);
  if (code !== 0) throw new Error(`npm install failed:\n${output}`);
}

/** The version ranges with which the repository itself installs these packages. */
export function ownRanges(names: readonly string[]): Record<string, string> {
  const { devDependencies } = readManifest(ROOT) as { devDependencies: Record<string, string> };
  return Object.fromEntries(
    names.map((name) => {
      const range = devDependencies[name];
      if (range === undefined) throw new Error(`${name} is not among the devDependencies.`);
      return [name, range];
    }),
  );
}

export function readManifest(directory: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
}

export function run(program: string, args: readonly string[], cwd: string): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(program, args, { cwd, env: plainEnvironment() }, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, output: stdout + stderr });
    });
  });
}

/** Copies a consumer's source files into a project, with changes to their text. */
export function addSources(directory: string, files: readonly string[], edit = (text: string) => text): void {
  for (const file of files) {
    const source = join(__dirname, 'consumers', file);
    writeFileSync(join(directory, basename(file)), edit(readFileSync(source, 'utf8')));
  }
}

export function remove(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}

/** Without what Jest and `npm test` put there: a user's shell has none of it. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const ours =
    /^(NODE_ENV|JEST_WORKER_ID|npm_package_.*|npm_lifecycle_.*|npm_command|npm_config_local_prefix)$/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
}
