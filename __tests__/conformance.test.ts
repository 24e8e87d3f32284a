import { type ConformanceOptions, conformance } from '../lib/conformance/index.js';
import { settingsOf } from '../lib/conformance/settings.js';
import { whileAlive, withLife } from '../lib/conformance/time.js';
import { brokenStores } from './conformance/broken-stores.js';
import { FragileStore } from './conformance/fragile-store.js';
import { FullStore } from './conformance/full-store.js';
import { ReferenceStore, type Row } from './conformance/reference-store.js';
import { declared, failing, verdict } from './conformance/run-kit.js';
import { runProgram } from './conformance/run-program.js';

jest.setTimeout(60_000);

const OUTAGE = 'outage: without its back end the store rejects or is right, and it recovers';

describe('a store that keeps the contract passes each check, in Jest', () => {
  let rows: Map<string, Row>;
  let fragile: FragileStore;
  const store = () => {
    rows = new Map();
    return new ReferenceStore(rows);
  };
  conformance({ test, store, second: () => new ReferenceStore(rows), separate: () => new ReferenceStore() });
  describe('with all that is optional', () => {
    const full = () => {
      rows = new Map();
      return new FullStore(rows);
    };
    conformance({ test, store: full, second: () => new FullStore(rows), separate: () => new FullStore() });
  });
  describe('without its back end', () => {
    conformance({
      it,
      store: () => {
        fragile = new FragileStore(() => Promise.reject(new Error('down')));
        return fragile;
      },
      interrupt: async () => fragile.interrupt(),
    });
  });
});

describe('a store with one fault fails the check that is meant for it', () => {
  test.each(brokenStores)('$fault', async ({ caughtBy, also = [], Store, options, twoInstances }) => {
    const rows = new Map<string, Row>();
    const instances: ConformanceOptions = twoInstances
      ? { store: () => new Store(rows), second: () => new Store(rows) }
      : { store: () => new Store() };

    expect(new Set(await failing({ ...instances, ...options }))).toEqual(new Set([caughtBy, ...also]));
  });

  test('each concern of the kit catches some', () => {
    const concerns = (names: Iterable<string>) =>
      [...new Set([...names].map((name) => name.split(':')[0]))].sort();
    const all = declared({
      store: () => new ReferenceStore(),
      second: () => new ReferenceStore(),
      separate: () => new ReferenceStore(),
    });

    expect(concerns(brokenStores.map(({ caughtBy }) => caughtBy))).toEqual(concerns(all.keys()));
  });
});

describe('what a failing check says', () => {
  test('what the contract wants, what came instead, and why it matters', async () => {
    class Forgetful extends ReferenceStore {
      override async get() {
        return undefined;
      }
    }
    const error = await verdict('basics: set resolves to true, and get gives the text exactly', {
      store: () => new Forgetful(),
    });

    expect(error).toMatchObject({
      name: 'AssertionError',
      code: 'ERR_ASSERTION',
      message: `get() resolves to the very text that was set.
Wanted: '{"cookie":{"originalMaxAge":null,"expires":null,"httpOnly":true,"path":"/"},"user":"alice"}'
Got:    undefined
Why it matters: the core compares texts to see what changed, and an encrypted text with one other byte is lost.`,
    });
  });

  test('a long text is cut', async () => {
    class Doubling extends ReferenceStore {
      override async get(id: string) {
        const text = await super.get(id);
        return text && text + text;
      }
    }
    const error = await verdict('values: a long text comes back whole', { store: () => new Doubling() });

    expect(error?.message).toContain("... 931957 more characters\nGot:    '{");
    expect(error?.message.length).toBeLessThan(1000);
  });

  test('the error of a store whose destroy rejects is the cause', async () => {
    const refusal = new Error('no such session');
    class Strict extends ReferenceStore {
      override async destroy() {
        throw refusal;
      }
    }
    const error = await verdict('destroy: of an unknown id is fine', { store: () => new Strict() });

    expect(
      error?.message,
    ).toBe(`destroy() is fine whether or not there is a record, but it rejected: Error: no such session
Why it matters: a second click on "log out", or a logout after the expiry, would be an error page.`);
    expect(error?.cause).toBe(refusal);
  });
});

describe('every call to the store is watched', () => {
  const UNKNOWN = 'basics: get of an unknown id is undefined';

  test('one that throws fails, with the error as the cause', async () => {
    const thrown = new Error('no connection');
    class Throwing extends ReferenceStore {
      override get(): never {
        throw thrown;
      }
    }
    const error = await verdict(UNKNOWN, { store: () => new Throwing() });

    expect(error?.message).toBe(`get() must reject when something is wrong, and never throw.
Why it matters: an error that is thrown misses the \`catch\` of a promise and can end the process.`);
    expect(error?.cause).toBe(thrown);
  });

  test('one that answers without a promise fails', async () => {
    class Synchronous extends ReferenceStore {
      override get() {
        return undefined as unknown as Promise<undefined>;
      }
    }
    const error = await verdict(UNKNOWN, { store: () => new Synchronous() });

    expect(error?.message).toBe(`get() must return a promise.
Why it matters: the core awaits it to know when the work is done.`);
  });

  test('one that never settles fails when the patience is over', async () => {
    class Hanging extends ReferenceStore {
      override get() {
        return new Promise<never>(() => {});
      }
    }
    const error = await verdict(UNKNOWN, { store: () => new Hanging(), patience: 20 });

    expect(error?.message).toBe(`get() must settle: nothing came in 20 ms.
Why it matters: a request that waits for it hangs, and with it the browser tab and a server socket.`);
  });
});

describe('an outage', () => {
  const during = (without: (method: string) => Promise<unknown>) => {
    let store: FragileStore;
    return verdict(OUTAGE, {
      store: () => {
        store = new FragileStore(without);
        return store;
      },
      interrupt: async () => store.interrupt(),
      patience: 100,
    });
  };

  test.each([
    ['get', undefined, "get() rejects with an Error.\nWanted: '{"],
    ['set', false, 'set() rejects with an Error.\nWanted: true\nGot:    false\n'],
    ['touch', false, 'touch() rejects with an Error.\nWanted: true\nGot:    false\n'],
  ])('a %s that answers %p fails', async (method, answer, message) => {
    const error = await during(async (called) => {
      if (called === method) return answer;
      throw new Error('down');
    });

    expect(error?.message).toContain(`Without its back end, ${message}`);
  });

  test('a rejection with something else than an Error fails', async () => {
    const error = await during(() => Promise.reject('down'));

    expect(error?.message).toBe(`Without its back end, get() rejects with an Error.
Why it matters: error handlers and logs of the app make nothing of something else.`);
    expect(error?.cause).toBe('down');
  });

  test('a call that hangs fails', async () => {
    const error = await during(() => new Promise(() => {}));

    expect(error?.message).toMatch(/^(get|set|touch|destroy)\(\) must settle: nothing came in 100 ms\.\n/);
  });

  test('a short one, over when interrupt resolves, needs no function to end it', async () => {
    let interrupted = 0;
    const error = await verdict(OUTAGE, {
      store: () => new ReferenceStore(),
      interrupt: async () => {
        interrupted++;
      },
    });

    expect([error, interrupted]).toEqual([undefined, 1]);
  });

  test('a store that does not recover fails, with what is wrong as the cause', async () => {
    const stillDown = new Error('still down');
    let store: FragileStore;
    const error = await verdict(OUTAGE, {
      store: () => {
        store = new FragileStore(() => Promise.reject(stillDown));
        return store;
      },
      interrupt: async () => {
        store.interrupt();
      },
      patience: 50,
    });

    expect(error?.message).toBe(`The store recovers by itself.
Why it matters: the app would have to be started anew.`);
    expect(error?.cause).toBe(stillDown);
  });

  test('a store that has lost its memory of how to store does not count as recovered', async () => {
    let broken = false;
    class Amnesiac extends ReferenceStore {
      override async get(id: string) {
        return broken ? undefined : super.get(id);
      }
    }
    const error = await verdict(OUTAGE, {
      store: () => new Amnesiac(),
      interrupt: async () => async () => {
        broken = true;
      },
      patience: 50,
    });

    expect(error?.message.split('\n')[0]).toBe('The store recovers by itself.');
    expect(error?.cause).toBe('get() gave undefined');
  });
});

describe('time', () => {
  const settings = (ttlGranularity: number) =>
    settingsOf({ test, store: () => new ReferenceStore(), ttlGranularity });

  test.each([
    [1, [60, 120, 240, 480, 960, 1920]],
    [20, [60, 120, 240, 480, 960, 1920]],
    [1000, [3000, 6000, 12_000, 24_000, 48_000, 96_000]],
  ])(
    'with a granularity of %i ms, a check that was too slow runs with longer lives',
    async (granularity, wanted) => {
      const lives: number[] = [];
      const attempt = async (life: number) => {
        lives.push(life);
        await whileAlive(settings(granularity), Date.now(), async () => 'too late');
      };

      await expect(withLife(settings(granularity), attempt)).rejects.toThrow(
        `The store needs more than ${wanted.at(-1)} ms for a few calls, so its expiry can't be checked.`,
      );
      expect(lives).toEqual(wanted);
    },
  );

  test('an answer counts when it came before the record may be gone', async () => {
    const answer = async () => 'in time';

    expect(await whileAlive(settings(1), Date.now() + 1000, answer)).toBe('in time');
    await expect(whileAlive(settings(1001), Date.now() + 1000, answer)).rejects.toThrow(Error);
  });

  test('an error of the store is no slowness', async () => {
    let runs = 0;
    const attempt = async () => {
      runs++;
      throw new Error('of the store');
    };

    await expect(withLife(settings(1), attempt)).rejects.toThrow('of the store');
    expect(runs).toBe(1);
  });

  test('a store whose calls take 50 ms passes', async () => {
    class Slow extends ReferenceStore {
      override async get(id: string) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        return super.get(id);
      }
    }
    const options = { store: () => new Slow() };

    expect(
      await verdict('expiry: a record is there until it expires, and then gone', options),
    ).toBeUndefined();
    expect(await verdict('expiry: touch prolongs a record, up to the new expiry', options)).toBeUndefined();
  });

  test.each([20, 40])('a store that is off by up to its granularity of %i ms passes', async (granularity) => {
    class Coarse extends ReferenceStore {
      protected override live(id: string) {
        const row = this.rows.get(id);
        return row && Math.floor(row.expires / granularity) >= Math.floor(Date.now() / granularity)
          ? row
          : undefined;
      }
    }

    expect(await failing({ store: () => new Coarse(), ttlGranularity: granularity })).toEqual([]);
  });
});

describe('options', () => {
  const store = () => new ReferenceStore();

  test.each([
    [
      { store },
      TypeError,
      "conformance: give the runner's function as `test` or `it`: conformance({ test, store }).",
    ],
    [{ test: 'test', store }, TypeError, "conformance: give the runner's function as `test` or `it`"],
    [
      { test },
      TypeError,
      'conformance: `store` must be a function that gives a store: store: () => new MyStore().',
    ],
    [{ test, store: store() }, TypeError, 'conformance: `store` must be a function that gives a store'],
    [
      { test, store, ttlGranularity: 0.5 },
      RangeError,
      'conformance: `ttlGranularity` is in milliseconds and at least 1, not 0.5.',
    ],
    [{ test, store, ttlGranularity: Number.NaN }, RangeError, 'at least 1, not NaN.'],
    [{ test, store, attomic: true }, TypeError, 'conformance has no option attomic; did you mean atomic?'],
    [{ test, stores: store }, TypeError, 'conformance has no option stores; did you mean store?'],
    [
      { test, store, atomic: 'inprocess' },
      TypeError,
      'conformance: atomic option must be one of true, false, "in-process" (did you mean "in-process"?); got "inprocess"',
    ],
    [
      { test, store, values: 'json' },
      TypeError,
      'conformance: values option must be one of "any", "session"',
    ],
    [{ test, store: ReferenceStore }, TypeError, 'is a class; give a function: store: () => new MyStore()'],
    [{ test, store, ids: 'urlsafe' }, TypeError, '(did you mean "url-safe"?); got "urlsafe"'],
  ])('%p is refused', (options, type, message) => {
    expect(() => conformance(options as unknown as ConformanceOptions)).toThrow(type);
    expect(() => conformance(options as unknown as ConformanceOptions)).toThrow(message);
  });

  test('the defaults also stand in for undefined', () => {
    const { close: _, ...settings } = settingsOf({
      test,
      store,
      atomic: undefined,
      count: 5,
    } as unknown as ConformanceOptions);

    expect(settings).toEqual({
      test,
      store,
      atomic: true,
      ttlGranularity: 1,
      values: 'any',
      ids: 'any',
      valueBytes: 1_048_576,
      count: 5,
      patience: 5000,
    });
  });

  /** What an option adds to, or takes from, the checks of a store that does everything alone. */
  const difference = (options: Partial<ConformanceOptions>) => {
    const before = [...declared({ store }).keys()];
    const after = [...declared({ store, ...options }).keys()];
    return {
      more: after.filter((name) => !before.includes(name)),
      fewer: before.filter((name) => !after.includes(name)),
    };
  };
  const races = [...declared({ store }).keys()].filter((name) => name.startsWith('races:'));
  const pairRaces = races.map((name) => name.replace('races:', 'races of two instances:'));
  const pairs = [
    'two instances: one reads what the other has set',
    'two instances: `expected` holds for what the other has set',
    'two instances: one no longer sees what the other has destroyed',
    'two instances: onDestroy tells of what the other destroys',
  ];
  test.each<[Partial<ConformanceOptions>, string[], string[]]>([
    [{ second: store }, [...pairs, ...pairRaces], []],
    [{ second: store, atomic: 'in-process' }, pairs, []],
    [{ second: store, atomic: false }, pairs, races],
    [{ atomic: false }, [], races],
    [{ separate: store }, ['separate instances: none of the records is shared'], []],
    [{ interrupt: async () => {} }, [OUTAGE], []],
    [
      { values: 'session' },
      [],
      [
        'values: text that is no JSON of a session is kept too',
        'values: the empty text is a text, and not the lack of one',
      ],
    ],
    [{ ttlGranularity: 2 }, [], ['expiry: a record is gone at the very millisecond that it expires']],
    [
      { ids: 'url-safe' },
      [],
      [
        'ids: patterns, separators and quotes in an id are only characters',
        'ids: unicode, control characters and great length are kept apart, or refused with an error',
      ],
    ],
  ])('%p decides which checks there are', (options, more, fewer) => {
    expect(races).toHaveLength(8);
    expect(difference(options)).toEqual({ more, fewer });
  });

  test('atomic: a store that writes in two steps passes when it says so', async () => {
    class TwoSteps extends ReferenceStore {
      override readonly atomic = false;
    }

    expect(await failing({ store: () => new TwoSteps(), atomic: false })).toEqual([]);
    expect(await failing({ store: () => new TwoSteps(), atomic: 'in-process' })).toEqual([]);
    expect(await failing({ store: () => new TwoSteps() })).toEqual([
      'basics: `atomic` says how `expected` works',
    ]);
  });

  test('valueBytes: the length of the longest text', async () => {
    const sizes: number[] = [];
    class Measuring extends ReferenceStore {
      override async set(...args: Parameters<ReferenceStore['set']>) {
        sizes.push(Buffer.byteLength(args[1]));
        return super.set(...args);
      }
    }
    await verdict('values: a long text comes back whole', {
      store: () => new Measuring(),
      valueBytes: 10_000,
    });

    expect(sizes.every((size) => size > 9980 && size <= 10_000)).toBe(true);
    expect(sizes).toHaveLength(2);
  });

  test('count: the number of records', async () => {
    const ids = new Set<string>();
    class Counting extends ReferenceStore {
      override async set(...args: Parameters<ReferenceStore['set']>) {
        ids.add(args[0]);
        return super.set(...args);
      }
    }
    await verdict('many records: each is kept, found and removed', {
      store: () => new Counting(),
      count: 123,
    });

    expect(ids.size).toBe(123);
  });

  test('ids, where a store refuses some: only those that the core never makes', async () => {
    class Narrow extends ReferenceStore {
      override async set(...args: Parameters<ReferenceStore['set']>) {
        if (!/^[\w-]+$/.test(args[0])) throw new Error('bad id');
        return super.set(...args);
      }
    }
    class NoCapitals extends ReferenceStore {
      override async set(...args: Parameters<ReferenceStore['set']>) {
        if (args[0] === args[0].toUpperCase()) throw new Error('bad id');
        return super.set(...args);
      }
    }

    expect(await failing({ store: () => new Narrow() })).toEqual([]);
    const error = await verdict('ids: look-alikes are different records', { store: () => new NoCapitals() });
    expect(error?.message).toMatch(
      /^The store takes the id "[\w-]{32}"\.\nWhy it matters: the core makes such ids\.$/,
    );
    expect(error?.cause).toEqual(new Error('bad id'));
  });
});

describe('closing', () => {
  class Closing extends ReferenceStore {
    closed = 0;
    close() {
      this.closed++;
    }
  }
  const PAIR = 'two instances: one reads what the other has set';

  test('every store that a check used is closed once', async () => {
    const stores: Closing[] = [];
    const rows = new Map<string, Row>();
    const make = () => {
      stores.push(new Closing(rows));
      return stores.at(-1)!;
    };

    expect(await verdict(PAIR, { store: make, second: make })).toBeUndefined();
    expect(stores.map(({ closed }) => closed)).toEqual([1, 1]);
  });

  test('also when the check fails', async () => {
    const stores = [new Closing(), new Closing()] as const;
    const error = await verdict(PAIR, { store: () => stores[0], second: () => stores[1] });

    expect(error?.message.split('\n')[0]).toBe('Instances over the same data see the same records.');
    expect(stores.map(({ closed }) => closed)).toEqual([1, 1]);
  });

  test('`close` stands in for the own one', async () => {
    const store = new Closing();
    const closed: unknown[] = [];
    await verdict('basics: get of an unknown id is undefined', {
      store: () => store,
      close: (it) => closed.push(it),
    });

    expect([closed, store.closed]).toEqual([[store], 0]);
  });
});

describe('runners', () => {
  test('Jest and Vitest: the time limit is the third argument', () => {
    const limits = new Set<number>();
    conformance({ test: (_name, _body, limit) => limits.add(limit), store: () => new ReferenceStore() });
    conformance({
      test: (_name, _body, limit) => limits.add(limit),
      store: () => new ReferenceStore(),
      ttlGranularity: 1000,
      patience: 1000,
    });

    expect([...limits]).toEqual([60_000 + 100 + 50_000, 60_000 + 100_000 + 10_000]);
  });

  test('Mocha: `it(name, body)` calls the body on its context, which takes the time limit, and without arguments', async () => {
    const declaredTests: [string, (this: object) => Promise<void>][] = [];
    conformance({
      it: (name: string, body: (this: object) => Promise<void>) => declaredTests.push([name, body]),
      store: () => new ReferenceStore(),
    });
    const limits: number[] = [];
    const context = { timeout: (limit: number) => limits.push(limit) };
    const [name, body] = declaredTests[0]!;
    await body.call(context);

    expect(name).toBe('basics: get of an unknown id is undefined');
    expect(body).toHaveLength(0); // Mocha waits for a callback otherwise
    expect(limits).toEqual([110_100]);
  });

  test('Mocha skips by a method of `this` what the store has no method for', async () => {
    const body = declared({ store: () => new ReferenceStore() }).get(
      'owned: a record stays in the list for as long as it lives',
    )!;
    let skips = 0;
    await body.call({ timeout: () => {}, skip: () => skips++ } as never);

    expect(skips).toBe(1);
  });

  /** Why a check is skipped, by what its name mentions. */
  const LACKING = {
    getAndTouch:
      'the store has no getAndTouch(): a request that only reads takes two steps, get() and touch()',
    'owned:':
      'the store has no owned(): the sessions of a user are found by going through all of ids(), or not at all',
    onDestroy:
      'the store has no onDestroy(): other processes notice within `checkInterval` that a session with open sockets has ended',
  };

  test('node:test, in a process of its own', async () => {
    const report = await runProgram({
      needs: ['lib', '__tests__/conformance/reference-store.ts'],
      args: ['--test-reporter=tap'],
      source: `const { test, it } = require('node:test');
        const { conformance } = require('./lib/conformance/index.js');
        const { ReferenceStore } = require('./__tests__/conformance/reference-store.js');
        class Deaf extends ReferenceStore { async touch() { return false; } }
        conformance({ test, store: () => new ReferenceStore(), count: 10 });
        conformance({ it, store: () => new Deaf(), count: 10 });`,
    });

    const failed = [...report.matchAll(/^not ok \d+ - (.*)$/gm)].map(([, name]) => name);
    expect(failed).toEqual([
      'touch: resolves to true and leaves the text alone',
      'touch: with the expiry that the record already has is true',
      'expiry: touch prolongs a record, up to the new expiry',
      'expiry: touch shortens the life of a record',
      'expiry: a touch with a time in the past ends the record',
      'values: the empty text is a text, and not the lack of one',
    ]);
    expect(report).toContain('touch() resolves to `true` for a live record.');
    const skipped = [...report.matchAll(/^ok \d+ - (.*) # SKIP (.*)$/gm)].map(([, name, reason]) => [
      name,
      reason,
    ]);
    const once = [...declared({ store: () => new ReferenceStore() }).keys()].flatMap((name) =>
      Object.entries(LACKING).flatMap(([method, reason]) => (name.includes(method) ? [[name, reason]] : [])),
    );
    expect(once).toHaveLength(15);
    expect(skipped).toEqual([...once, ...once]);
    const passing = 2 * declared({ store: () => new ReferenceStore() }).size - failed.length - skipped.length;
    expect(report).toMatch(new RegExp(`^# pass ${passing}$`, 'm'));
  });
});
