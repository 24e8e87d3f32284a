import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { transformFileSync } from '@swc/core';

export interface Compiled {
  /** Where the JavaScript is. */
  dir: string;
  remove(): void;
}

/**
 * The TypeScript of a directory as CommonJS in a temporary one, for tests that need processes of their own. Packages
 * are found only with NODE_PATH set to `nodeModules`.
 */
export function compile(source: string): Compiled {
  const dir = mkdtempSync(join(tmpdir(), 'steady-session-compiled-'));
  for (const file of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    const { code } = transformFileSync(join(source, file), {
      jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
      module: { type: 'commonjs' },
    });
    const target = join(dir, file.replace(/ts$/, 'js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, code);
  }
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

/** The library, see {@link compile}. */
export function compileLib(): Compiled {
  return compile(join(__dirname, '../../lib'));
}

export const nodeModules: string = join(__dirname, '../../node_modules');
