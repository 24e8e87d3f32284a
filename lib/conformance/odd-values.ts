import { type Check, expectSame, type Trial } from './check.js';

const MANGLED = 'what a visitor typed would come back changed, or end the session.';
const EMPTY =
  'a serializer may write nothing for an empty session, which would end, or never be stored again.';

export const oddValues: readonly Check[] = [
  {
    name: 'values: unicode comes back unchanged',
    run: (trial) =>
      expectKept(trial, [
        'Ærøskøbing',
        'e\u0301 is not \u00e9',
        '日本語',
        '\u{1f469}\u200d\u{1f680}',
        '\ufeff',
        '\u2028\u2029',
      ]),
  },
  {
    name: 'values: control characters, NUL included, come back unchanged',
    run: (trial) =>
      expectKept(trial, ['a\0b', '\0', '\u0001\u001f\u007f\u0080', 'a\r\nb\rc\nd', '\t', 'trailing\n', ' ']),
  },
  {
    name: 'values: quotes, escapes and code are only text',
    run: (trial) =>
      expectKept(trial, [
        `it's "so"`,
        '\\',
        '\\n',
        '\\u0000',
        "'); DROP TABLE sessions; --",
        '$1 $& $$',
        '%s%d',
        '<b>&amp;',
      ]),
  },
  {
    name: 'values: keys such as `__proto__` stay data',
    async run(trial) {
      for (const key of ['__proto__', 'constructor', 'toString', '$set', 'a.b', '']) {
        const data = Object.fromEntries([[key, { polluted: true }]]);
        await expectTextKept(
          trial,
          trial.text({ data }),
          'Text is kept, whatever keys its JSON has.',
          MANGLED,
        );
      }
      expectSame(
        (Object.prototype as { polluted?: boolean }).polluted,
        undefined,
        'Storing a text never changes the prototype of objects.',
        'anybody who can put a key into a session could change what the whole app does.',
      );
    },
  },
  {
    name: 'values: a long text comes back whole',
    async run(trial) {
      const { settings, text } = trial;
      const rest = Math.max(0, settings.valueBytes - Buffer.byteLength(text({ long: '' })));
      await expectTextKept(
        trial,
        text({ long: 'abcdefgé'.repeat(Math.ceil(rest / 9)).slice(0, Math.floor((rest * 8) / 9)) }),
        `A text of up to ${settings.valueBytes} bytes is kept whole.`,
        'a full shopping cart would end the session, or come back as broken JSON.',
      );
    },
  },
  {
    name: 'values: text that is no JSON of a session is kept too',
    when: ({ values }) => values === 'any',
    async run(trial) {
      const texts = [
        'plain',
        ' spaced ',
        '0',
        '1e3',
        'null',
        'true',
        '"quoted"',
        '{"a" :1}',
        '[1]',
        '{broken',
        'a\0b',
        'é\n',
      ];
      for (const text of texts) {
        const contract = 'A store keeps text as it is: it never parses, trims or rewrites it.';
        await expectTextKept(
          trial,
          text,
          contract,
          'other serializers and encryption store texts that are not JSON.',
        );
      }
    },
  },
  {
    name: 'values: the empty text is a text, and not the lack of one',
    when: ({ values }) => values === 'any',
    async run(trial) {
      const { store, id, text, later } = trial;
      const [key, full] = [id(), id()];
      await expectTextKept(trial, '', 'A store keeps any text, also the empty one.', EMPTY);
      await store.set(key, '', { expires: later() });
      await store.set(full, text(), { expires: later() });
      const conditional = (at: string, expected: string | null) =>
        store.set(at, text({ views: 1 }), { expires: later(), expected });
      expectSame(
        [await conditional(id(), ''), await conditional(full, ''), await conditional(key, null)],
        [false, false, false],
        "`expected: ''` holds where the empty text is stored and nowhere else, and there `expected: null` does not hold.",
        EMPTY,
      );
      expectSame(await store.touch(key, later()), true, 'touch() finds a record with the empty text.', EMPTY);
      if (store.getAndTouch) {
        expectSame(await store.getAndTouch(key, later()), '', 'getAndTouch() gives the empty text.', EMPTY);
      }
      expectSame(await conditional(key, ''), true, "`expected: ''` holds for the empty text.", EMPTY);
    },
  },
];

/** Each piece of data, within a session, must come back. */
async function expectKept(trial: Trial, pieces: string[]): Promise<void> {
  for (const piece of pieces) {
    await expectTextKept(
      trial,
      trial.text({ piece, [piece]: 1 }),
      'Text comes back character by character.',
      MANGLED,
    );
  }
}

/** The text comes back, and also counts as what is stored. */
async function expectTextKept(
  { store, id, later }: Trial,
  value: string,
  contract: string,
  why: string,
): Promise<void> {
  const key = id();
  await store.set(key, value, { expires: later() });
  expectSame(await store.get(key), value, contract, why);
  expectSame(
    await store.set(key, value, { expires: later(), expected: value }),
    true,
    '`expected: text` holds for any text that get() gives.',
    'the core would try again and again, and drop the change at last.',
  );
  await store.destroy(key);
}
