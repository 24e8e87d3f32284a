import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { compile } from '../support/compile.js';

const NODE_MODULES = join(__dirname, '../../node_modules');

export interface Program {
  /** CommonJS. It finds the compiled files under `./lib` and so on, and the packages of this project. */
  source: string;
  /** TypeScript files and folders of this project to compile. Default: `lib`. */
  needs?: string[];
  /** Arguments to Node, before the program's path. */
  args?: string[];
}

/** Runs a program in a process of its own and gives what it printed on its standard output, however it ended. */
export async function runProgram({ source, needs = ['lib'], args = [] }: Program): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'steady-program-'));
  try {
    compile(dir, ...needs);
    const file = join(dir, 'program.js');
    writeFileSync(file, source);
    // Jest and `node --test` leave settings behind that the program is not to inherit.
    const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, NODE_PATH = '', ...rest } = process.env;
    const env = { ...rest, NODE_PATH: [NODE_MODULES, NODE_PATH].join(delimiter) };
    return await new Promise((resolve) => {
      execFile(process.execPath, [...args, file], { env, maxBuffer: 1e8 }, (_error, stdout) =>
        resolve(stdout),
      );
    });
  } finally {
    rmSync(dir, { recursive: true });
  }
}
