/** The documentation: what it shows is run, what it lists is complete, and where it points to is there. */

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { join } from 'node:path';
import { helpLink } from '../lib/errors.js';
import { COOKIE_OPTIONS, OPTIONS } from '../lib/options.js';
import { type CodeBlock, type Page, ROOT, readPages } from './docs/markdown.js';
import { Project } from './docs/project.js';
import { describeWith, startPostgres, startRedis } from './support/servers.js';

jest.setTimeout(120_000);

const pages = readPages();
const documentation = pages.filter(({ path }) => path === 'README.md' || path.startsWith('docs/'));
const blocks = documentation.flatMap((page) => page.blocks);

function page(path: string): Page {
  const found = pages.find((other) => other.path === path);
  if (!found) throw new Error(`there is no page ${path}`);
  return found;
}

describe('code', () => {
  let project: Project;
  beforeAll(() => {
    project = new Project();
  });
  afterAll(() => project.remove());

  const asExpected = { code: 0, stderr: '' };
  const run = (block: CodeBlock, env: Record<string, string> = {}) =>
    project.run(block, page(block.page).blocks, env);

  const examples = blocks.filter(({ language, example }) => language === 'js' || example !== undefined);
  const needing = (needs: string | undefined) =>
    examples.filter((block) => block.needs === needs).map((block) => [titleOf(block), block] as const);

  test.each(needing(undefined))('runs: %s', async (_, block) => {
    expect(await run(block)).toMatchObject(asExpected);
  });

  describeWith('redis-server', 'with Redis', () => {
    test.each(needing('redis-server'))('runs: %s', async (_, block) => {
      const server = await startRedis();
      try {
        expect(await run(block, { REDIS_URL: server.url })).toMatchObject(asExpected);
      } finally {
        await server.stop();
      }
    });
  });

  describeWith('postgres', 'with PostgreSQL', () => {
    test.each(needing('postgres'))('runs: %s', async (_, block) => {
      const server = await startPostgres();
      try {
        expect(await run(block, { DATABASE_URL: server.connectionString })).toMatchObject(asExpected);
      } finally {
        await server.stop();
      }
    });
  });

  describeWith('sqlite', 'with SQLite', () => {
    const modules = [
      ['node-sqlite', () => isBuiltin('node:sqlite')],
      ['better-sqlite3', () => works('better-sqlite3')],
    ] as const;
    const here = modules.filter(([, isThere]) => isThere()).flatMap(([name]) => needing(name));
    test.each(here)('runs: %s', async (_, block) => {
      expect(await run(block)).toMatchObject(asExpected);
    });
  });

  test('TypeScript compiles, strictly', () => {
    const typed = blocks.filter(({ language }) => language === 'ts');
    expect(typed.length).toBeGreaterThan(1);
    expect(project.compile(typed)).toBe('');
  });

  test('every block is of a kind that is checked, or says nothing that could be wrong', () => {
    const checked = ['js', 'ts', 'sh'];
    const harmless = ['diff', 'text'];
    const others = blocks.filter(
      ({ language, example }) => example === undefined && ![...checked, ...harmless].includes(language),
    );
    expect(others.map(titleOf)).toEqual([]);
  });

  test('every example needs what can be had, and every scene is used', () => {
    const known = [undefined, 'redis-server', 'postgres', 'node-sqlite', 'better-sqlite3'];
    expect(examples.filter(({ needs }) => !known.includes(needs)).map(titleOf)).toEqual([]);
    const named = examples.map(({ example }) => example).filter((name) => name !== undefined);
    const scenes = readdirSync(join(__dirname, 'docs/scenes')).map((file) => file.replace('.mjs', ''));
    expect(scenes.filter((name) => !['prelude', 'visitor'].includes(name)).sort()).toEqual(named.sort());
  });

  /** Other tests install the package, under both names, and type `npm start` and `npm test`. */
  test('commands are those that are tried', () => {
    const commands = blocks
      .filter(({ language }) => language === 'sh')
      .flatMap(({ text }) => text.trim().split('\n'));
    expect([...new Set(commands)].sort()).toEqual([
      'npm install && npm start',
      'npm install && npm test',
      'npm install express-session@npm:steady-session',
      'npm install steady-session',
      'npm uninstall @types/express-session',
    ]);
  });
});

describe('docs/codes.md', () => {
  const codes = page('docs/codes.md');
  const entries = codes.headings.filter(({ level }) => level === 3);

  test('has an entry for every code in lib/, and no others', () => {
    const ofNode = ['ERR_ASSERTION', 'ERR_HTTP2_HEADERS_SENT'];
    const inLib = new Set<string>();
    for (const file of readdirSync(join(ROOT, 'lib'), { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts')) continue;
      const source = readFileSync(join(ROOT, 'lib', file), 'utf8');
      for (const [, code = ''] of source.matchAll(/['"`]((?:ERR|WARN)_[A-Z0-9_]*[A-Z0-9])['"`]/g))
        inLib.add(code);
    }
    for (const code of ofNode) inLib.delete(code);
    expect(entries.map(({ text }) => text)).toEqual([...inLib].sort());
  });

  test.each(entries.map(({ text }) => text))('%s: the help link leads to its entry', (code) => {
    const [file, anchor] = helpLink(code).split('#');
    const { text } = entries.find((entry) => entry.anchor === anchor) ?? {};
    expect({ file, text }).toEqual({
      file: expect.stringMatching(/\/blob\/main\/docs\/codes\.md$/),
      text: code,
    });
  });

  test.each(entries)(
    '$text: says what happened, why it matters, how to fix it and how to silence it',
    (entry) => {
      const next = codes.headings.find(({ line }) => line > entry.line)?.line ?? codes.prose.length;
      const labels = codes.prose
        .slice(entry.line, next - 1)
        .map((line) => /^\*\*(.+?)\.\*\* \S/.exec(line)?.[1])
        .filter((label) => label !== undefined);
      expect(labels).toEqual(['What happened', 'Why it matters', 'How to fix it', 'How to silence it']);
    },
  );
});

describe('the options reference', () => {
  test('is what the comments in the source say', () => {
    const script = join(ROOT, 'scripts/options-reference.mjs');
    const output = execFileSync(process.execPath, [script, '--check'], { encoding: 'utf8', stdio: 'pipe' });
    expect(output).toBe('');
  });

  test('has every option of session() and of its cookie', () => {
    const headings = page('docs/options.md').headings.map(({ text }) => text.replaceAll('`', ''));
    const cookie = COOKIE_OPTIONS.filter((option) => option !== 'originalMaxAge'); // of stored cookies
    expect(headings.filter((text) => text.startsWith('cookie.'))).toEqual(
      cookie.map((option) => `cookie.${option}`),
    );
    const start = headings.indexOf('Options of session()') + 1;
    const listed = headings.slice(start, headings.indexOf('Options of the cookie'));
    expect(listed.sort()).toEqual([...OPTIONS].sort());
  });
});

describe('links', () => {
  const internal = pages.flatMap(({ links }) => links.filter(({ path }) => path !== undefined));

  test('lead to files that exist', () => {
    const broken = internal.filter(({ path }) => !existsSync(join(ROOT, path!)));
    expect(broken.map(({ page, line, path }) => `${page}:${line} ${path}`)).toEqual([]);
  });

  test('lead to headings that exist', () => {
    const broken = internal.filter(
      ({ path, anchor }) =>
        anchor !== undefined && !page(path!).headings.some((heading) => heading.anchor === anchor),
    );
    expect(broken.map(({ page, line, path, anchor }) => `${page}:${line} ${path}#${anchor}`)).toEqual([]);
  });

  test('every page of docs/ is in the table of the README', () => {
    const linked = page('README.md').links.map(({ path }) => path);
    const missing = documentation.map(({ path }) => path).filter((path) => !linked.includes(path));
    expect(missing).toEqual(['README.md']);
  });
});

describe('what the documentation claims', () => {
  const heading = 'What goes wrong with express-session, and what happens here';
  test.each([
    ['README.md', heading, 15],
    ['docs/migration.md', 'What you may notice', 10],
  ])('%s: each row of "%s" names a test', (path, title, fewest) => {
    const rows = tableAfter(page(path), title);
    expect(rows.length).toBeGreaterThan(fewest);
    expect(rows.filter(({ tests }) => tests.length === 0)).toEqual([]);
  });

  test('docs/security.md: each row names a test, or says that it is left to the app', () => {
    const { prose, links } = page('docs/security.md');
    const rows = prose
      .map((text, index) => ({ text, line: index + 1 }))
      .filter(
        ({ text }, index) => text.startsWith('|') && !/^\|[- |]+$/.test(text) && !isTableHead(prose, index),
      );
    const unshown = rows.filter(
      ({ text, line }) =>
        !text.includes('left to the app') && !links.some((link) => link.line === line && isTest(link.path)),
    );
    expect(rows.length).toBeGreaterThan(40);
    expect(unshown).toEqual([]);
  });

  test('docs/architecture.md: the files that it names are there', () => {
    const { prose } = page('docs/architecture.md');
    const named = prose.flatMap((line) =>
      [...line.matchAll(/`([\w-]+\.ts|[\w-]+\/)`/g)].map(([, name]) => name!),
    );
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((name) => !existsSync(join(ROOT, 'lib', name)))).toEqual(['lib/']);
  });

  test('docs/architecture.md: its table has the fields of Node.js that lib/response uses and that are not public', () => {
    const directory = join(ROOT, 'lib/response');
    const source = readdirSync(directory).map((file) => readFileSync(join(directory, file), 'utf8'));
    const fields = /\b(?:_[a-z]\w*|outputSize|outputData|useChunkedEncodingByDefault)\b/g;
    const { prose } = page('docs/architecture.md');
    const [start, end] = ['## Fields of Node.js that are not public', '## What is decided, and where'];
    const section = prose.slice(prose.indexOf(start!), prose.indexOf(end!));
    const rows = section.filter((line) => line.startsWith('| `'));
    const named = rows.flatMap((row) => row.split('|')[1]!.match(fields) ?? []);
    expect(named.sort()).toEqual([...new Set(source.join().match(fields))].sort());
  });

  test('docs/architecture.md: every file and directory of lib/ is in its table', () => {
    const { prose } = page('docs/architecture.md');
    const rows = prose.slice(prose.indexOf('## The files')).filter((line) => line.startsWith('|'));
    const named = rows.flatMap((row) => [...row.matchAll(/`([\w-]+(?:\.ts|\/))`/g)].map(([, name]) => name));
    const entries = readdirSync(join(ROOT, 'lib'), { withFileTypes: true });
    const there = entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
    expect(there.filter((name) => !named.includes(name))).toEqual([]);
  });
});

function isTest(path: string | undefined): boolean {
  return /^__tests__\/.*\.test\.ts$/.test(path ?? '');
}

function isTableHead(prose: string[], index: number): boolean {
  return /^\|[- |]+$/.test(prose[index + 1] ?? '');
}

function titleOf({ page, line, example }: CodeBlock): string {
  return `${page}:${line}${example ? ` (${example})` : ''}`;
}

function works(name: string): boolean {
  try {
    createRequire(__filename)(name);
    return true;
  } catch {
    return false;
  }
}

/** The rows of the first table after a heading, with the test files that each links to. */
function tableAfter({ headings, prose, links }: Page, title: string): { line: string; tests: string[] }[] {
  const heading = headings.find(({ text }) => text === title);
  if (!heading) throw new Error(`there is no heading "${title}"`);
  const start = prose.findIndex((line, index) => index >= heading.line && line.startsWith('|')) + 2;
  const end = prose.findIndex((line, index) => index >= start && !line.startsWith('|'));
  return prose.slice(start, end).map((line, index) => ({
    line,
    tests: links
      .filter((link) => link.line === start + index + 1)
      .map(({ path }) => path ?? '')
      .filter(isTest),
  }));
}
