/**
 * Text in a form that any database's text type can hold. PostgreSQL refuses the character NUL, and `node:sqlite` of
 * Node 22 reads no further than it. So NUL is written as U+0001 "0", hence U+0001 itself as U+0001 "1".
 * JSON has neither as such, so stored sessions remain what other programs expect.
 */
export function encodeText(text: string): string {
  if (!text.includes('\0') && !text.includes(ESCAPE)) return text;
  return text.replaceAll(ESCAPE, `${ESCAPE}1`).replaceAll('\0', `${ESCAPE}0`);
}

/** The text that {@link encodeText} was given. */
export function decodeText(stored: string): string {
  if (!stored.includes(ESCAPE)) return stored;
  return stored.replaceAll(`${ESCAPE}0`, '\0').replaceAll(`${ESCAPE}1`, ESCAPE);
}

const ESCAPE = '\u0001';
