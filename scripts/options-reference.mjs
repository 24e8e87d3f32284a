// Usage: node scripts/options-reference.mjs [--check]
// Writes the options that the documentation lists from the doc comments of the interfaces that declare them. A page
// says where they go, and from which file and interface they come:
//   <!-- options: lib/options.ts SessionOptions -->
//   <!-- /options -->
// Further words: `###` is the kind of heading (the default), and `prefix=cookie.` goes before each name.
// With --check nothing is written; the exit code is 1 if a page differs from what would be.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';
import { transformSync } from '@swc/core';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const DOCS = join(ROOT, 'docs');
const REGION = /(<!-- options: (\S+) (\S+)(.*?) -->\n)[\s\S]*?(<!-- \/options -->)/g;

/** Where a name that a doc comment links to is explained. */
const PAGES = {
  SessionStore: 'writing-a-store.md#the-contract',
  MemoryStore: 'stores.md#memorystore',
};

const check = process.argv.includes('--check');
const recommended = readRecommended();
const outdated = readdirSync(DOCS)
  .filter((file) => file.endsWith('.md') && !update(join(DOCS, file)))
  .map((file) => `docs/${file}`);
if (outdated.length > 0) {
  console.error(`Out of date: ${outdated.join(', ')}. Run: node scripts/options-reference.mjs`);
  process.exitCode = 1;
}

/** Whether the page is up to date; unless this is a check, it then is. */
function update(file) {
  const before = readFileSync(file, 'utf8');
  const after = before.replace(REGION, (_, start, source, name, words, end) => {
    return `${start}\n${reference(source, name, words)}\n${end}`;
  });
  if (before === after) return true;
  if (!check) writeFileSync(file, after);
  return !check;
}

function reference(source, name, words) {
  const heading = /#+/.exec(words)?.[0] ?? '###';
  const prefix = /prefix=(\S+)/.exec(words)?.[1] ?? '';
  const members = membersOf(readFileSync(join(ROOT, source), 'utf8'), name, source);
  return members.map((member) => entry(member, heading, prefix, name)).join('\n');
}

function entry({ name, type, comment }, heading, prefix, interfaceName) {
  const { text, fallback } = readComment(comment);
  const safe = recommendedValue(interfaceName, prefix + name);
  const paragraphs = [
    `${heading} \`${prefix}${name}\``,
    `Type: \`${type}\`.${fallback ? ` Default: ${fallback}.` : ''}${safe ? ` In \`recommended\`: \`${safe}\`.` : ''}`,
    text,
  ];
  return `${paragraphs.join('\n\n')}\n`;
}

// ---- Reading

/** The members of an interface with their doc comments. Throws for one that has none: the reference is to be whole. */
function membersOf(source, interfaceName, file) {
  const body = new RegExp(`^export interface ${interfaceName} \\{\\n([\\s\\S]*?)^\\}`, 'm').exec(source)?.[1];
  if (body === undefined) throw new Error(`${file} has no interface ${interfaceName}`);
  const members = [];
  let rest = body;
  while (rest.trim() !== '') {
    const found = /^\s*(?:\/\*\*([\s\S]*?)\*\/\s*)?(?:readonly )?(\w+)(\??)([:(][\s\S]*?);\n/.exec(rest);
    if (!found)
      throw new Error(`${file}: ${interfaceName} has a member that this script can't read: ${rest}`);
    const [whole, comment, name, , signature] = found;
    if (comment === undefined) throw new Error(`${file}: ${interfaceName}.${name} has no doc comment`);
    members.push({ name, type: typeOf(signature), comment });
    rest = rest.slice(whole.length);
  }
  return members;
}

/** `: A | undefined` is `A`, and the method `(b: B): A` is the function `(b: B) => A`. */
function typeOf(signature) {
  const type = signature.startsWith('(') ? signature.replace(/\): (?!.*\): )/, ') => ') : signature.slice(1);
  return type
    .replace(/\s+/g, ' ')
    .replace(/ \| undefined\b/g, '')
    .replace(/^\s*(?:Method<(.*)>|\((\(.*\) => .*)\))$/, (_, method, fn) => method ?? fn)
    .trim();
}

function readComment(comment) {
  const lines = comment.split('\n').map((line) => line.replace(/^\s*\* ?/, '').trimEnd());
  const [text, ...tags] = lines.join('\n').trim().split(/\n?^@/m);
  const fallback = tags.find((tag) => tag.startsWith('default '))?.slice('default '.length);
  const unknown = tags.find((tag) => !tag.startsWith('default '));
  if (unknown) throw new Error(`a tag that this script doesn't know: @${unknown}`);
  return { text: withLinks(flowed(text)), fallback: fallback && asCode(fallback.trim()) };
}

/** Lines of a paragraph are joined; those of a list are not. */
function flowed(text) {
  return text.trim().replace(/([^\n])\n(?!\n|- )/g, '$1 ');
}

/** Of `86_400_000 (24 hours)` the value is code, and so is all of `'sess:'`; words stay words. */
function asCode(fallback) {
  const [, value, remark = ''] = /^(.*?)( \(.*\))?$/.exec(fallback);
  return / /.test(value) ? fallback : `\`${value}\`${remark}`;
}

function withLinks(text) {
  return text.replace(/\{@link (\S+?)\}/g, (_, name) =>
    PAGES[name] ? `[\`${name}\`](${PAGES[name]})` : `\`${name}\``,
  );
}

/** The object itself: its module has nothing but types to import. */
function readRecommended() {
  const { code } = transformSync(readFileSync(join(ROOT, 'lib/recommended.ts'), 'utf8'), {
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    module: { type: 'commonjs' },
  });
  const exports = {};
  runInNewContext(code, { exports });
  return exports.recommended;
}

function recommendedValue(interfaceName, path) {
  if (interfaceName !== 'SessionOptions' && interfaceName !== 'CookieOptions') return undefined;
  const value = path.split('.').reduce((object, key) => object?.[key], recommended);
  return value === undefined ? undefined : literal(value);
}

function literal(value) {
  if (typeof value !== 'object') return typeof value === 'string' ? `'${value}'` : String(value);
  return `{ ${Object.entries(value)
    .map(([key, each]) => `${key}: ${literal(each)}`)
    .join(', ')} }`;
}
