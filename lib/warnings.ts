import { helpLink } from './errors.js';

/** Texts may come from errors, and so in part from clients: there is an end to them. */
const MOST = 100;

const given = new Set<string>();

/**
 * Tells the developer, once per process and text, of what is probably a mistake. Silence all warnings of a code with
 * `node --disable-warning=CODE`, or listen for them with `process.on('warning')`.
 */
export function warnOnce(code: string, message: string): void {
  const key = `${code} ${message}`;
  if (given.has(key) || given.size >= MOST) return;
  given.add(key);
  process.emitWarning(`${message} (${helpLink(code)})`, { type: 'SteadySessionWarning', code });
}
