import { SteadyError } from '../errors.js';
import { describe, hasMethods } from '../option-checks.js';

/**
 * Refuses what an adapter can't work with, at the start rather than at the first request.
 * @throws TypeError that names the first missing method
 */
export function requireMethods(adapter: string, backend: unknown, methods: readonly string[]): void {
  const missing = methods.find((method) => !hasMethods(backend, method));
  if (missing === undefined) return;
  const hint = typeof backend === 'function' ? '; pass an instance of it: `new ...`' : '';
  throw new TypeError(
    `${adapter}() needs an object with the methods ${methods.join('(), ')}(), but it has no ${missing}(); ` +
      `got ${describe(backend)}${hint}`,
  );
}

/** The object that a text is the JSON of, for back ends that keep objects. */
export function parseObject(adapter: string, text: string): Record<string, unknown> {
  const value = parsed(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new SteadyError(
    'ERR_SESSION_TEXT',
    `${adapter}() stores objects, so it can only take texts that are the JSON of an object; use the JSON serializer with it`,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
