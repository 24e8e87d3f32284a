import { randomBytes } from 'node:crypto';
import session from '../../lib/index.js';

export const SEED: number = Number(process.env['STEADY_SEED'] ?? 1);

/** Of the apps in processes of their own. */
export const options: session.SessionOptions = {
  ...session.recommended,
  secret: randomBytes(32).toString('hex'),
  onInterrupted: 'error', // so that status 200 means stored
};

/** The data of a stored session, without its cookie. */
export function dataOf(text: string | null | undefined): Record<string, unknown> | undefined {
  if (text == null) return undefined;
  const { cookie: _, ...data } = JSON.parse(text);
  return data;
}
