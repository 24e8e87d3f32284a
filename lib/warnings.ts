import { helpLink } from './errors.js';

const given = new Set<string>();

/**
 * Tells the developer, once per process and text, of what is probably a mistake. Silence all warnings of a code with
 * `node --disable-warning=CODE`, or listen for them with `process.on('warning')`.
 */
export function warnOnce(code: string, message: string): void {
  const key = `${code} ${message}`;
  if (given.has(key)) return;
  given.add(key);
  process.emitWarning(`${message} (${helpLink(code)})`, { type: 'SteadySessionWarning', code });
}
