/**
 * A copy of a text that keeps nothing else alive. A string that was cut out of another one keeps all of that (an id: the
 * whole Cookie header), and one that was put together keeps its pieces: what `JSON.stringify` returns for 284 characters
 * takes 447 bytes in Node 20, this copy of it 304. Joining two parts is the plain way to make V8 copy characters.
 */
export function compact(text: string): string {
  return [text.slice(0, 1), text.slice(1)].join('');
}

/** A value as JSON that is {@link compact}, to be kept. */
export function compactJson(value: unknown): string {
  return compact(JSON.stringify(value));
}
