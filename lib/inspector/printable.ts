/** What shows nothing, or turns the text around it, when printed: controls, format characters, half characters. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * Text that was written by others, for a person to read: no longer than `most` characters, and with each character that
 * can't be seen spelled out, such as `\u{202e}`, which would have the rest of the line run backwards.
 */
export function printable(text: string, most: number): string {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text;
  return cut.replace(UNPRINTABLE, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}
