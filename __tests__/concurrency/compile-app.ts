import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { transformFileSync } from '@swc/core';

const root = join(__dirname, '../..');

/** The library and the app in `app/`, compiled into a temporary directory. */
export interface CompiledApp {
  /** Where the library's JavaScript is. */
  lib: string;
  /** The app's program. */
  program: string;
  remove(): void;
}

/** For tests that need processes of their own. As in all tests, types are not checked here. */
export function compileApp(): CompiledApp {
  const dir = mkdtempSync(join(tmpdir(), 'steady-session-apps-'));
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'));
  compile(join(root, 'lib'), join(dir, 'lib'));
  compile(join(__dirname, 'app'), join(dir, 'app'));
  return {
    lib: join(dir, 'lib'),
    program: join(dir, 'app/server.js'),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

function compile(source: string, target: string): void {
  for (const file of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    const { code } = transformFileSync(join(source, file), {
      jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
      module: { type: 'commonjs' },
    });
    const path = join(target, file.replace(/ts$/, 'js'));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, code);
  }
}
