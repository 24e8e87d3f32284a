import { execFile, execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type CodeBlock, ROOT } from './markdown.js';

const SCENES = join(__dirname, 'scenes');
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');

/** What a program printed, on either of its outputs, and its exit code. */
export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** A project in a temporary directory, in which the package is installed as it would be published. */
export class Project {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'steady-session-docs-'));

  constructor() {
    const modules = join(this.directory, 'node_modules');
    mkdirSync(modules);
    for (const name of readdirSync(join(ROOT, 'node_modules'))) {
      if (!name.startsWith('.')) symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
    }
    const own = join(modules, 'steady-session');
    mkdirSync(own);
    copyFileSync(join(ROOT, 'package.json'), join(own, 'package.json'));
    build(join(own, 'dist'));
    for (const file of ['prelude.mjs', 'visitor.mjs']) copyFileSync(join(SCENES, file), this.#path(file));
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  /**
   * Runs an example in a process of its own. One that has a name has a scene, which provides what the example leaves
   * out, and looks at what it does: the example takes the place of the line `// <name>` there, and other examples of
   * the same page that of theirs.
   */
  run(block: CodeBlock, page: readonly CodeBlock[], env: Record<string, string> = {}): Promise<Outcome> {
    const isModule = !/\brequire\(/.test(block.text);
    const file = this.#path(`${nameOf(block)}.${isModule ? 'mjs' : 'cjs'}`);
    writeFileSync(file, block.example === undefined ? block.text : inScene(block.example, page));
    return runNode(
      ['--disable-warning=ExperimentalWarning', '--import', './prelude.mjs', file],
      this.directory,
      env,
    );
  }

  /** What the compiler says of all these blocks of TypeScript. */
  compile(blocks: readonly CodeBlock[]): string {
    for (const block of blocks) writeFileSync(this.#path(`${nameOf(block)}.mts`), block.text);
    const compilerOptions = {
      target: 'es2023',
      module: 'nodenext',
      strict: true,
      noEmit: true,
      noUncheckedIndexedAccess: true,
      types: ['node'],
    };
    writeFileSync(this.#path('tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.mts'] }));
    try {
      return execFileSync(process.execPath, [TSC], { cwd: this.directory, encoding: 'utf8', stdio: 'pipe' });
    } catch (error) {
      return (error as { stdout: string }).stdout;
    }
  }

  #path(file: string): string {
    return join(this.directory, file);
  }
}

/** Compiles the library. Its own errors of type are for other tests to tell. */
function build(directory: string): void {
  const args = [TSC, '-p', 'tsconfig.build.json', '--outDir', directory];
  try {
    execFileSync(process.execPath, args, { cwd: ROOT, stdio: 'pipe' });
  } catch (error) {
    if (!existsSync(join(directory, 'index.js'))) throw error;
  }
}

function nameOf({ page, line }: CodeBlock): string {
  return `${basename(page, '.md')}-${line}`;
}

function inScene(name: string, page: readonly CodeBlock[]): string {
  const scene = readFileSync(join(SCENES, `${name}.mjs`), 'utf8');
  const played = new Set<string>();
  const text = scene.replace(/^\/\/ <([\w-]+)>$/gm, (_, example: string) => {
    played.add(example);
    const block = page.find((other) => other.example === example);
    if (!block) throw new Error(`the scene ${name} wants an example ${example}`);
    return block.text;
  });
  if (!played.has(name)) throw new Error(`the scene ${name} has no line "// <${name}>"`);
  return text;
}

function runNode(args: string[], cwd: string, env: Record<string, string>): Promise<Outcome> {
  const { PATH, HOME, TMPDIR } = process.env;
  const plain = Object.fromEntries(Object.entries({ PATH, HOME, TMPDIR }).filter(([, value]) => value));
  return new Promise((resolve) => {
    const options = { cwd, env: { ...plain, ...env } as NodeJS.ProcessEnv, timeout: 60_000 };
    const child = execFile(process.execPath, args, options, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}
