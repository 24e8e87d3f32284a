/**
 * The values of the cookies called `name` in a Cookie header, unquoted, the first `most` of them. Reads no other
 * cookies, in time linear in the header's length.
 */
export function readCookies(header: string, name: string, most: number): readonly string[] {
  let values = NO_VALUES;
  for (let at = header.indexOf(name); at !== -1 && values.length < most; at = header.indexOf(name, at + 1)) {
    const equals = skipBlanks(header, at + name.length);
    if (header[equals] !== '=' || !startsPair(header, at)) continue;
    const value = valueAfter(header, equals);
    values = values.length === 0 ? [value] : [...values, value]; // an empty array that grows takes room for 17
  }
  return values;
}

const NO_VALUES: readonly string[] = [];

function startsPair(header: string, at: number): boolean {
  let before = at - 1;
  while (before >= 0 && isBlank(header.charCodeAt(before))) before--;
  return before < 0 || header[before] === ';';
}

function valueAfter(header: string, equals: number): string {
  const semicolon = header.indexOf(';', equals);
  let end = semicolon === -1 ? header.length : semicolon;
  let start = Math.min(skipBlanks(header, equals + 1), end);
  while (end > start && isBlank(header.charCodeAt(end - 1))) end--;
  if (end - start > 1 && header[start] === '"' && header[end - 1] === '"') {
    start++;
    end--;
  }
  return header.slice(start, end);
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (isBlank(text.charCodeAt(at))) at++;
  return at;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** Percent-decoded, or the text itself where that is impossible. */
export function decodeCookieValue(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
