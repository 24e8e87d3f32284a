import { type Check, expectSame, fail, isError, isFailure, type Trial } from './check.js';
import { NO_ERROR } from './reasons.js';

const MIXED_UP = "one visitor would get, change or end another one's session.";

export const oddIds: readonly Check[] = [
  {
    name: 'ids: look-alikes are different records',
    async run(trial) {
      const base = trial.id();
      const tails = ['', 'b', 'B', '-', '_', '_b', '-b', '__', 'bb', '0', '00'];
      await expectApart(trial, [...tails.map((tail) => base + tail), base.toLowerCase(), base.toUpperCase()]);
    },
  },
  {
    name: 'ids: `__proto__` and the like are ordinary ids',
    async run(trial) {
      const names = [
        '__proto__',
        'constructor',
        'prototype',
        'toString',
        'hasOwnProperty',
        'length',
        'undefined',
      ];
      for (const name of names) await trial.store.destroy(name); // what a run that was cut short has left
      for (const name of names) {
        expectSame(
          await trial.store.get(name),
          undefined,
          `There is no record under ${JSON.stringify(name)} before one is set.`,
          'such an id in a forged cookie would be an error page, or a session that nobody made.',
        );
      }
      await expectApart(trial, names);
    },
  },
  {
    name: 'ids: patterns, separators and quotes in an id are only characters',
    when: ({ ids }) => ids === 'any',
    async run(trial) {
      const base = trial.id();
      const tails = [
        '',
        '*',
        '?',
        '%',
        '%2A',
        '[a-z]',
        '.',
        '..',
        '/',
        '/b',
        '\\',
        ':',
        ':b',
        ' ',
        "'",
        '"',
        '$',
        '{}',
        '#',
      ];
      await expectApart(trial, [
        ...tails.map((tail) => base + tail),
        `*${base}`,
        `%${base}`,
        `../${base}`,
        `:${base}`,
      ]);
    },
  },
  {
    name: 'ids: unicode, control characters and great length are kept apart, or refused with an error',
    when: ({ ids }) => ids === 'any',
    async run(trial) {
      const base = trial.id();
      const tails = [
        '',
        '\0',
        '\0b',
        '\n',
        '\r\n',
        'é',
        'e\u0301',
        '\u{1f600}',
        '\u00ff',
        '\ufeff',
        'x'.repeat(300),
      ];
      await expectApart(trial, [...tails.map((tail) => base + tail), `${base}${'x'.repeat(299)}y`]);
    },
  },
];

/**
 * Sees that what is done to the record of one id does nothing to those of the others, whether the shorter ids or the
 * longer ones come first.
 */
async function expectApart(trial: Trial, ids: string[]): Promise<void> {
  await expectApartInTurn(trial, ids);
  await expectApartInTurn(trial, ids.toReversed());
}

/** Stores a record under each id that the store takes; then touches, overwrites and destroys one after the other. */
async function expectApartInTurn(trial: Trial, ids: string[]): Promise<void> {
  const { store, text, later } = trial;
  const left: string[] = [];
  for (const id of ids) {
    if (await takes(trial, id)) left.push(id);
  }
  await expectRecords(trial, left, 'Ids that differ in any character have different records.');
  await expectListed(trial, left);
  for (let id = left.shift(); id !== undefined; id = left.shift()) {
    await store.touch(id, later());
    await store.set(id, text({ intruder: true }), { expires: later() });
    await store.destroy(id);
    await expectRecords(
      trial,
      left,
      `What is done to the record of ${JSON.stringify(id)} leaves others alone.`,
    );
    expectSame(
      await store.get(id),
      undefined,
      `destroy() ends the record of ${JSON.stringify(id)}.`,
      'a logout would not log out.',
    );
  }
}

/** Whether the store takes the id. Refusing is fine, by rejecting; only url-safe ids of a usual length must be taken. */
async function takes({ store, text, later }: Trial, id: string): Promise<boolean> {
  try {
    await store.set(id, text({ id }), { expires: later() });
    return true;
  } catch (error) {
    if (isFailure(error)) throw error;
    const name = JSON.stringify(id);
    if (/^[\w-]{1,64}$/.test(id)) {
      const maker = id.length === 32 ? 'the core makes' : "an app's own `genid` may make";
      fail(`The store takes the id ${name}.`, `${maker} such ids.`, error);
    }
    if (!isError(error)) {
      fail(`A store that can't take the id ${name} rejects with an Error.`, NO_ERROR, error);
    }
    return false;
  }
}

/** All at once: there are many, and a store may be far away. */
async function expectRecords({ store, text }: Trial, ids: string[], contract: string): Promise<void> {
  const found = await Promise.all(ids.map((id) => store.get(id)));
  for (const [index, id] of ids.entries()) expectSame(found[index], text({ id }), contract, MIXED_UP);
}

async function expectListed({ store }: Trial, ids: string[]): Promise<void> {
  if (!store.ids) return;
  const missing = new Set(ids);
  for await (const id of store.ids()) missing.delete(id);
  expectSame(
    [...missing],
    [],
    'ids() gives each id as it was given to set(), whatever characters it has. (These are missing.)',
    'these logins could not be listed, nor ended.',
  );
}
