import { comparable, withoutSessions } from './differences.js';
import { describeScenario, type Scenario } from './scenario.js';
import { ours, plain, real, type Subject } from './subjects.js';
import { type Transcript, transcribe } from './transcribe.js';

/** Runs a scenario against express-session and the subject, and compares everything observable. Returns the subject's. */
export async function expectSame(scenario: Scenario, subject: Subject = ours): Promise<Transcript> {
  const expected = await transcribe(real, scenario);
  const actual = await transcribe(subject, scenario);
  expectEqual(comparable(actual), comparable(expected), scenario);
  return actual;
}

/** Runs a scenario against ours and with no sessions at all: the bytes of the responses must be the same. */
export async function expectPlainBytes(scenario: Scenario, subject: Subject = ours): Promise<void> {
  const name = scenario.options.name ?? 'connect.sid';
  const expected = await transcribe(plain, scenario);
  const actual = await transcribe(subject, scenario);
  expectEqual(withoutSessions(actual, name), withoutSessions(expected, name), scenario);
}

/** `toStrictEqual`, with the scenario in words in front of the difference. */
function expectEqual(actual: unknown, expected: unknown, scenario: Scenario): void {
  try {
    expect(actual).toStrictEqual(expected);
  } catch (error) {
    const { message } = error as Error;
    throw new Error(`In this scenario:\n${describeScenario(scenario)}\n(+ ours, - expected)\n${message}`);
  }
}
