import { types } from 'node:util';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/** Strings up to this length are compared by character; of longer ones, a cut-out of the text with all at once. */
const SHORT = 16;

/** Nested deeper than this is left to `JSON.stringify`, which guards the stack. */
const DEEPEST = 200;

/** That the text goes on differently. */
const DIFFERS = -1;

/**
 * Whether `JSON.stringify(object)` would give `{` and this text, if it had no property `except`. `false` may mean that
 * only `JSON.stringify` can tell.
 *
 * Walks along the object and the text, and so makes no text to compare with: two thirds of the time, and hardly any
 * memory. In a text without backslashes each string stands as it is and ends at the first quotation mark.
 */
export function matchesText(object: object, text: string, except: string): boolean {
  return (
    !text.includes('\\') &&
    typeof (object as WithToJson).toJSON !== 'function' &&
    afterMembers(text, 0, object, 0, except) === text.length
  );
}

interface WithToJson {
  toJSON?: unknown;
}

// Each of these gives the place after what it was to find at `at`, or `DIFFERS`.

function afterValue(text: string, at: number, value: unknown, depth: number): number {
  switch (typeof value) {
    case 'string':
      return afterString(text, at, value);
    case 'number':
      return Number.isFinite(value) ? afterToken(text, at, String(value)) : DIFFERS;
    case 'boolean':
      return afterToken(text, at, value ? 'true' : 'false');
    case 'object':
      return value === null ? afterToken(text, at, 'null') : afterObject(text, at, value, depth + 1);
    default:
      return DIFFERS;
  }
}

function afterObject(text: string, at: number, value: object, depth: number): number {
  if (depth > DEEPEST || typeof (value as WithToJson).toJSON === 'function') return DIFFERS;
  const opening = text.charCodeAt(at);
  if (Array.isArray(value)) {
    return opening === OPENING_BRACKET ? afterItems(text, at + 1, value, depth) : DIFFERS;
  }
  // `new Boolean(true)` is JSON as `true` is, whatever its prototype
  const isPlain = Object.getPrototypeOf(value) === Object.prototype && !types.isBoxedPrimitive(value);
  return isPlain && opening === OPENING_BRACE ? afterMembers(text, at + 1, value, depth) : DIFFERS;
}

function afterItems(text: string, start: number, items: readonly unknown[], depth: number): number {
  let at = start;
  for (let index = 0; index < items.length; index++) {
    if (index > 0 && text.charCodeAt(at++) !== COMMA) return DIFFERS;
    at = afterValue(text, at, items[index], depth);
    if (at === DIFFERS) return DIFFERS;
  }
  return text.charCodeAt(at) === CLOSING_BRACKET ? at + 1 : DIFFERS;
}

function afterMembers(text: string, start: number, object: object, depth: number, except?: string): number {
  let at = start;
  for (const key in object) {
    if (!Object.hasOwn(object, key)) return DIFFERS;
    if (key === except) continue;
    if (at > start && text.charCodeAt(at++) !== COMMA) return DIFFERS;
    at = afterString(text, at, key);
    if (at === DIFFERS || text.charCodeAt(at) !== COLON) return DIFFERS;
    at = afterValue(text, at + 1, (object as Record<string, unknown>)[key], depth);
    if (at === DIFFERS) return DIFFERS;
  }
  return text.charCodeAt(at) === CLOSING_BRACE ? at + 1 : DIFFERS;
}

function afterString(text: string, at: number, string: string): number {
  const start = at + 1;
  const end = start + string.length;
  if (text.charCodeAt(at) !== QUOTE || text.charCodeAt(end) !== QUOTE) return DIFFERS;
  const isSame = string.length > SHORT ? isLongAt(text, start, string) : isShortAt(text, start, string);
  return isSame ? end + 1 : DIFFERS;
}

function isLongAt(text: string, at: number, string: string): boolean {
  return text.slice(at, at + string.length) === string && !string.includes('"');
}

function isShortAt(text: string, at: number, string: string): boolean {
  for (let index = 0; index < string.length; index++) {
    const code = string.charCodeAt(index);
    if (code !== text.charCodeAt(at + index) || code === QUOTE) return false;
  }
  return true;
}

function afterToken(text: string, at: number, token: string): number {
  return isShortAt(text, at, token) ? at + token.length : DIFFERS;
}
