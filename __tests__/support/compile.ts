import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { transformSync } from '@swc/core';

const ROOT = join(__dirname, '../..');

/**
 * Compiles TypeScript files of this project, given as paths from its root, to CommonJS under `to`, for tests that
 * need a process of their own. A folder stands for all files in it.
 */
export function compile(to: string, ...paths: string[]): void {
  for (const path of paths.flatMap(filesOf)) {
    const { code } = transformSync(readFileSync(join(ROOT, path), 'utf8'), {
      jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
      module: { type: 'commonjs' },
    });
    const target = join(to, path.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, code);
  }
}

function filesOf(path: string): string[] {
  if (path.endsWith('.ts')) return [path];
  const files = readdirSync(join(ROOT, path), { recursive: true, encoding: 'utf8' });
  return files.filter((file) => file.endsWith('.ts')).map((file) => join(path, file));
}

export interface Compiled {
  /** Where the JavaScript is. */
  dir: string;
  remove(): void;
}

/** The library, compiled into a temporary directory. Packages are found only with NODE_PATH set to `nodeModules`. */
export function compileLib(): Compiled {
  const parent = mkdtempSync(join(tmpdir(), 'steady-session-compiled-'));
  compile(parent, 'lib');
  return { dir: join(parent, 'lib'), remove: () => rmSync(parent, { recursive: true, force: true }) };
}

export const nodeModules: string = join(ROOT, 'node_modules');
