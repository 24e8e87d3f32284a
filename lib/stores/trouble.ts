import { SteadyError } from '../errors.js';
import { hasMethods } from '../option-checks.js';
import { warnOnce } from '../warnings.js';

/** One kind of trouble that a store can have with its database, and what helps. */
export interface Trouble {
  /** Recognizes the client's error by its `code` and message, with a space between. */
  sign: RegExp;
  /** The code of the error that the app gets. */
  code: string;
  /** What is wrong, and what to do about it. */
  advice: string;
}

/**
 * The error that a store throws for one of its client's: it names the store and the remedy, and has the client's
 * as its `cause`. Trouble of no known kind has the code `ERR_SESSION_STORE_FAILED`.
 */
export function storeError(store: string, known: readonly Trouble[], cause: unknown): SteadyError {
  if (cause instanceof SteadyError) return cause;
  const { code = '', message = String(cause) } = (cause ?? {}) as { code?: unknown; message?: string };
  Reflect.deleteProperty(Object(cause), 'command'); // ioredis notes there which id and which data were sent
  const text = `${String(code)} ${String(message).replace(/, with args.*$/s, '')}`.trim();
  const trouble = known.find(({ sign }) => sign.test(text));
  const advice = trouble?.advice ?? 'the database reported an error.';
  return new SteadyError(trouble?.code ?? 'ERR_SESSION_STORE_FAILED', `${store}: ${advice} (${text})`, {
    cause,
  });
}

/**
 * Keeps a lost connection from ending the process. A client that emits `error` while nobody listens makes Node
 * throw, even between two requests. The store needs no such event: every operation reports its own failure. So
 * this says once for a client that the app does not listen, and leaves the rest to the app.
 */
export function surviveClientErrors(store: string, client: object): void {
  if (!hasMethods(client, 'on', 'listenerCount') || listened.has(client)) return;
  listened.add(client);
  const emitter = client as NodeJS.EventEmitter;
  let warned = false;
  emitter.on('error', (error: unknown) => {
    if (warned || emitter.listenerCount('error') > 1) return;
    warned = true;
    warnOnce(
      'WARN_SESSION_STORE_CLIENT',
      `The client of ${store} reported an error and the app does not listen for its errors: ${summary(error)}. ` +
        "Add client.on('error', ...) to have them all.",
    );
  });
}

/** Several stores may share a client. */
const listened = new WeakSet<object>();

/** What a client's error says; some have no more than a code. */
export function summary(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return String(message || code || error);
}
