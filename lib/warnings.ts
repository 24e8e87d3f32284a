import { helpLink } from './errors.js';

/** Texts may come from errors, and so in part from clients: there is an end to them. */
const MOST = 100;

const given = new Set<string>();

/**
 * Tells the developer, once per process and text, of what is probably a mistake. Silence all warnings of a code with
 * `node --disable-warning=CODE`, or listen for them with `process.on('warning')`.
 * @param topic in place of the text, where what a client has sent is in it
 */
export function warnOnce(code: string, message: string, topic: string = message): void {
  const key = `${code} ${topic}`;
  if (given.has(key) || given.size >= MOST) return;
  given.add(key);
  process.emitWarning(`${message} (${helpLink(code)})`, { type: 'SteadySessionWarning', code });
}
