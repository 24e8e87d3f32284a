import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

export const ROOT: string = join(__dirname, '../..');

export interface CodeBlock {
  page: string;
  /** Of the fence, counted from 1. */
  line: number;
  language: string;
  text: string;
  /** From the comment before it: `<!-- example: name; needs: redis-server -->`. */
  example: string | undefined;
  needs: string | undefined;
}

export interface Link {
  page: string;
  line: number;
  text: string;
  /** Another page, relative to the root of the repository; `undefined` for one on the web. */
  path: string | undefined;
  anchor: string | undefined;
}

export interface Heading {
  line: number;
  level: number;
  text: string;
  /** What a link to it is made with. */
  anchor: string;
}

/** A page of the documentation, as far as tests look at it. */
export interface Page {
  /** Relative to the root of the repository. */
  path: string;
  headings: Heading[];
  links: Link[];
  blocks: CodeBlock[];
  /** The lines that are prose: neither code nor comments. Others are empty. */
  prose: string[];
}

/** All pages that people read: those at the root, in docs/ and in examples/. */
export function readPages(): Page[] {
  const inDirectory = (directory: string) =>
    existsSync(join(ROOT, directory))
      ? readdirSync(join(ROOT, directory)).map((file) => join(directory, file))
      : [];
  return [...inDirectory('.'), ...inDirectory('docs'), ...inDirectory('examples')]
    .filter((path) => path.endsWith('.md'))
    .map(readPage);
}

export function readPage(path: string): Page {
  const lines = readFileSync(join(ROOT, path), 'utf8').split('\n');
  const page: Page = { path, headings: [], links: [], blocks: [], prose: [] };
  let block: (CodeBlock & { fence: string; lines: string[] }) | undefined;
  let comment = '';
  for (const [index, line] of lines.entries()) {
    const fence = /^(`{3,})(\w*)/.exec(line);
    page.prose[index] = '';
    if (block && line === block.fence) {
      const { fence: _, lines: code, ...rest } = block;
      page.blocks.push({ ...rest, text: `${code.join('\n')}\n` });
      block = undefined;
    } else if (block) {
      block.lines.push(line);
    } else if (fence) {
      const [, ticks = '', language = ''] = fence;
      const word = (name: string) => new RegExp(`\\b${name}: ([\\w-]+)`).exec(comment)?.[1];
      block = { page: path, line: index + 1, language, text: '', fence: ticks, lines: [], ...found(word) };
      comment = '';
    } else if (line.startsWith('<!--')) {
      comment = line;
    } else {
      if (line !== '') comment = '';
      page.prose[index] = line;
      readProse(page, line, index + 1);
    }
  }
  if (block) throw new Error(`${path}: the code block of line ${block.line} has no end`);
  return page;
}

function found(word: (name: string) => string | undefined): Pick<CodeBlock, 'example' | 'needs'> {
  return { example: word('example'), needs: word('needs') };
}

function readProse(page: Page, line: string, number: number): void {
  const heading = /^(#{1,6}) (.*)$/.exec(line);
  if (heading) {
    const [, marks = '', text = ''] = heading;
    const before = page.headings.filter((other) => slug(other.text) === slug(text)).length;
    const anchor = before === 0 ? slug(text) : `${slug(text)}-${before}`;
    page.headings.push({ line: number, level: marks.length, text, anchor });
  }
  const withoutCode = line.replace(/(`+)[^`]+?\1(?!\])/g, (code) => ' '.repeat(code.length));
  for (const [, text = '', target = ''] of withoutCode.matchAll(/\[([^\]]*)\]\(([^)\s]+)\)/g)) {
    page.links.push({ page: page.path, line: number, text, ...resolve(page.path, target) });
  }
}

function resolve(page: string, target: string): Pick<Link, 'path' | 'anchor'> {
  if (/^[a-z]+:/i.test(target)) return { path: undefined, anchor: undefined };
  const [path = '', anchor] = target.split('#');
  return { path: path === '' ? page : normalize(join(dirname(page), path)), anchor };
}

/** The anchor that GitHub gives a heading. */
export function slug(heading: string): string {
  return heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M} _-]/gu, '')
    .replaceAll(' ', '-');
}
