import { setTimeout as sleep } from 'node:timers/promises';
import { Attempts } from '../../lib/drivers/back-off.js';

jest.mock('node:timers/promises', () => ({ setTimeout: jest.fn(async () => {}) }));

test('a write is tried 100 times, with pauses of 32 ms at most between', async () => {
  jest.spyOn(Math, 'random').mockReturnValue(1);
  const attempts = new Attempts(60_000);
  for (let attempt = 1; attempt < 100; attempt++) await attempts.next();

  await expect(attempts.next()).rejects.toMatchObject({ code: 'ERR_SESSION_CONFLICT' });
  const pauses = jest.mocked(sleep).mock.calls.map(([pause]) => pause);
  expect(pauses.slice(0, 4)).toEqual([4, 8, 16, 32]);
  expect(new Set(pauses.slice(4))).toEqual(new Set([32]));
  expect(pauses).toHaveLength(97);
  jest.restoreAllMocks();
});
