import type { AppRequest } from '../express-types.js';
import { badOption } from '../option-checks.js';
import { checkOptions } from '../stores/store-options.js';
import { LONGEST_TIMER } from '../timers.js';

/** The options of `inspector()`. */
export interface InspectorOptions {
  /**
   * Who may look: asked before anything else, of each request of the inspector, and of each open page every
   * `checkInterval`. Only `true` lets in; otherwise the answer is 403. There is no default: who may see and end
   * everybody's sessions is the app's to say.
   */
  guard(req: AppRequest): boolean | Promise<boolean>;
  /** Run although `NODE_ENV` is `production`. Default `false`: `inspector()` then throws. */
  production?: boolean | undefined;
  /** How many requests, and how many events, are remembered. Default 200. */
  history?: number | undefined;
  /** How many sessions are listed at most. Default 500. */
  sessions?: number | undefined;
  /** How often the guard is asked again for an open page, in milliseconds. Default 15 seconds. */
  checkInterval?: number | undefined;
}

/** The options, checked and with defaults filled in. */
export interface InspectorSettings {
  guard(req: AppRequest): boolean | Promise<boolean>;
  history: number;
  sessions: number;
  checkInterval: number;
}

/** What a page has to show and a browser to hold. */
const MOST = 10_000;

/** @throws TypeError if there is no guard, an option makes no sense, or this is production and `production` is not `true` */
export function readOptions(options: InspectorOptions): InspectorSettings {
  checkOptions('inspector', options, ['guard', 'production', 'history', 'sessions', 'checkInterval']);
  const { guard, production = false, history = 200, sessions = 500, checkInterval = 15_000 } = options;
  if (typeof guard !== 'function')
    throw badOption('inspector: guard', guard, 'a function (req) => boolean that says who may look');
  if (typeof production !== 'boolean') throw badOption('inspector: production', production, 'true or false');
  if (process.env['NODE_ENV'] === 'production' && !production)
    throw new TypeError(
      'inspector() does not run in production, where it would show and end the sessions of real users; ' +
        'leave it out there, or pass production: true if its guard lets in nobody but your administrators',
    );
  checkWhole('history', history, MOST);
  checkWhole('sessions', sessions, MOST);
  checkWhole('checkInterval', checkInterval, LONGEST_TIMER);
  return { guard, history, sessions, checkInterval };
}

function checkWhole(name: string, value: unknown, most: number): void {
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most) return;
  throw badOption(`inspector: ${name}`, value, `a whole number from 1 to ${most}`);
}
