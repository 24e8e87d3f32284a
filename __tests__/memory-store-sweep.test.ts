import { spawnSync } from 'node:child_process';
import { MemoryStore } from '../lib/stores/memory.js';
import { ShardedMap } from '../lib/stores/sharded-map.js';
import { Sweeper } from '../lib/stores/sweeper.js';
import { type Compiled, compileLib, nodeModules } from './support/compile.js';

const START = new Date('2026-01-01T00:00:00.000Z').getTime();
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** Records that nobody asks for, and the sweeper that looks after them. */
function makeSwept(): { records: ShardedMap; sweeper: Sweeper; add(id: string, expires: number): void } {
  const records = new ShardedMap(false);
  const sweeper = new Sweeper(records);
  const add = (id: string, expires: number) => {
    records.shardOf(id).set(id, 'x', expires, false);
    sweeper.expect(expires);
  };
  return { records, sweeper, add };
}

describe('the sweep, under a fake clock', () => {
  beforeEach(() => jest.useFakeTimers({ now: START }));
  afterEach(() => jest.useRealTimers());

  test('a record leaves memory when it expires, not before, without being asked for', () => {
    const { records, add } = makeSwept();
    add('a', START + 5000);
    add('b', START + HOUR);
    jest.advanceTimersByTime(4999);
    expect(records.size).toBe(2);
    jest.advanceTimersByTime(1);
    expect(records.size).toBe(1);
    jest.advanceTimersByTime(HOUR - 5001);
    expect(records.size).toBe(1);
    jest.advanceTimersByTime(1);
    expect(records.size).toBe(0);
  });

  test('one that comes later and expires sooner is not late', () => {
    const { records, add } = makeSwept();
    add('a', START + 30_000);
    add('b', START + 20_000);
    add('c', START + 25_000);
    jest.advanceTimersByTime(20_000);
    expect(records.size).toBe(2);
    jest.advanceTimersByTime(5000);
    expect(records.size).toBe(1);
  });

  test('there is one timer, while there are records, and none before or after', () => {
    const { add } = makeSwept();
    expect(jest.getTimerCount()).toBe(0);
    for (let i = 0; i < 100; i++) add(`${i}`, START + HOUR - i * MINUTE);
    expect(jest.getTimerCount()).toBe(1);
    jest.advanceTimersByTime(HOUR - 1);
    expect(jest.getTimerCount()).toBe(1);
    jest.advanceTimersByTime(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('records that expire within a tenth of a second are removed together', () => {
    const { records, add } = makeSwept();
    for (let i = 1; i <= 10; i++) add(`${i}`, START + i * 10);
    jest.advanceTimersByTime(99);
    expect(records.size).toBe(10);
    jest.advanceTimersByTime(1);
    expect(records.size).toBe(0);
  });

  test('records that keep coming with short lives do not put the sweep off', () => {
    const { records, add } = makeSwept();
    for (let i = 0; i < 1000; i++) {
      add(`${i}`, Date.now() + 5);
      jest.advanceTimersByTime(1);
    }
    expect(records.size).toBeLessThan(106);
  });

  test('very many at once are removed a thousand at a time, with a pause in between', () => {
    const { records, add } = makeSwept();
    for (let i = 0; i < 10_500; i++) add(`${i}`, START + 1000);
    const sizes: number[] = [];
    jest.advanceTimersByTime(999);
    for (let i = 0; i < 12; i++) {
      jest.advanceTimersByTime(1);
      sizes.push(records.size);
    }
    expect(sizes).toEqual([9500, 8500, 7500, 6500, 5500, 4500, 3500, 2500, 1500, 500, 0, 0]);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('exactly one slice: no more timers', () => {
    const { records, add } = makeSwept();
    for (let i = 0; i < 1000; i++) add(`${i}`, START + 1000);
    jest.advanceTimersByTime(1000);
    expect(records.size).toBe(0);
    jest.advanceTimersByTime(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('finish removes all that has expired, with turns of the event loop in between', async () => {
    jest.useRealTimers();
    const { records, sweeper } = makeSwept();
    const now = Date.now();
    for (let i = 0; i < 5500; i++)
      records.shardOf(`${i}`).set(`${i}`, 'x', now + (i < 5000 ? 0 : HOUR), false);
    const sizes = [records.size];
    const finished = sweeper.finish().then(() => sizes.push(-1));
    sizes.push(records.size);
    for (let i = 0; i < 4; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      sizes.push(records.size);
    }
    await finished;
    expect(sizes).toEqual([5500, 4500, 3500, 2500, 1500, 500, -1]);
    sweeper.close();
  });

  test('an expiry beyond what a timer can wait for is no expiry now', () => {
    const { records, add } = makeSwept();
    add('a', START + YEAR);
    add('b', Number.MAX_SAFE_INTEGER);
    add('c', Infinity);
    jest.advanceTimersByTime(10 * MINUTE); // a timer that can't wait so long would have fired at once
    expect(records.size).toBe(3);
    jest.setSystemTime(START + YEAR);
    jest.advanceTimersByTime(MINUTE);
    expect(records.size).toBe(2);
  });

  test('when the clock is set forward, what has expired by it leaves within a minute', () => {
    const { records, add } = makeSwept();
    add('a', START + DAY);
    jest.setSystemTime(START + 2 * DAY);
    jest.advanceTimersByTime(MINUTE - 1);
    expect(records.size).toBe(1);
    jest.advanceTimersByTime(1);
    expect(records.size).toBe(0);
  });

  test('when the clock is set back, a record stays until it expires by it', () => {
    const { records, add } = makeSwept();
    add('a', START + MINUTE);
    jest.setSystemTime(START - HOUR);
    jest.advanceTimersByTime(HOUR + MINUTE - 1);
    expect(records.size).toBe(1);
    jest.advanceTimersByTime(MINUTE);
    expect(records.size).toBe(0);
  });

  test('close ends the timer for good', () => {
    const { records, sweeper, add } = makeSwept();
    add('a', START + 1000);
    sweeper.close();
    expect(jest.getTimerCount()).toBe(0);
    add('b', START + 500);
    expect(jest.getTimerCount()).toBe(0);
    jest.advanceTimersByTime(HOUR);
    expect(records.size).toBe(2);
  });

  test('a closed store still answers', async () => {
    const store = new MemoryStore();
    await store.set('a', 'x', { expires: START + 1000 });
    store.close();
    expect(jest.getTimerCount()).toBe(0);
    await store.set('b', 'x', { expires: START + 2000 });
    expect(jest.getTimerCount()).toBe(0);
    jest.setSystemTime(START + 1000);
    expect(store.sessions).toEqual({ b: 'x' });
    await expect(store.length()).resolves.toBe(1);
  });

  test('each way of giving an expiry sets the timer', async () => {
    const expires = START + 1000;
    const session = { cookie: { expires: new Date(expires) } };
    const ways: ((store: MemoryStore) => unknown)[] = [
      (store) => store.set('a', 'x', { expires }),
      (store) => store.set('a', session),
      (store) => store.touch('old', expires),
      (store) => store.touch('old', session),
    ];
    const sizes: number[][] = [];
    for (const way of ways) {
      jest.setSystemTime(START);
      const store = new MemoryStore();
      await store.set('old', {}); // for a day
      await way(store);
      const { records } = store.records as unknown as { records: ShardedMap };
      const before = records.size;
      jest.advanceTimersByTime(1000);
      sizes.push([before, records.size]);
      store.close();
    }
    expect(sizes).toEqual([
      [2, 1],
      [2, 1],
      [1, 0],
      [1, 0],
    ]);
  });
});

describe('the sweep, in real time', () => {
  test('lets the event loop turn while 100,000 sessions leave at once', async () => {
    const { records, sweeper, add } = makeSwept();
    const expires = Date.now() + 100;
    for (let i = 0; i < 100_000; i++) add(`${i}`, expires);
    let turns = 0;
    let most = 0;
    for (let before = records.size; before > 0; before = records.size) {
      await new Promise((resolve) => setImmediate(resolve));
      most = Math.max(most, before - records.size);
      turns++;
    }
    expect(most).toBeLessThanOrEqual(2000); // two slices, if a millisecond has passed in between
    expect(turns).toBeGreaterThanOrEqual(50);
    sweeper.close();
  });
});

describe('in a process of its own', () => {
  let lib: Compiled;
  beforeAll(() => {
    lib = compileLib();
  });
  afterAll(() => lib.remove());

  /** Runs a script in which `MemoryStore` and `used()`, the bytes in use, are there. What it prints last is the answer. */
  function run(script: string): unknown {
    const prelude = `
      const { MemoryStore } = require('./stores/memory.js');
      const used = () => { gc(); gc(); const m = process.memoryUsage(); return m.heapUsed + m.arrayBuffers; };
      const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
      const print = (value) => console.log(JSON.stringify(value));`;
    const env = { ...process.env, NODE_PATH: nodeModules };
    const args = ['--expose-gc', '-e', `${prelude}\n(async () => { ${script} })();`];
    const child = spawnSync(process.execPath, args, { cwd: lib.dir, env, encoding: 'utf8', timeout: 60_000 });
    expect({ ...child, stdout: undefined }).toMatchObject({ status: 0, signal: null, stderr: '' });
    return JSON.parse(child.stdout);
  }

  test('a store with sessions lets the process end', () => {
    const answer = run(`
      const start = Date.now();
      const store = new MemoryStore();
      store.set('a', { cookie: { expires: new Date(Date.now() + 3_600_000) } });
      store.set('b', { cookie: {} });
      process.on('exit', () => print(Date.now() - start < 30_000));`);
    expect(answer).toBe(true);
  });

  test('what nobody refers to any more is not kept until it expires', () => {
    const { kept, held } = run(`
      const store = new MemoryStore();
      const fill = () => {
        const expires = Date.now() + 3_600_000;
        for (let i = 0; i < 1000; i++) store.records.write('id' + i, 'x'.repeat(1000) + i, { expires });
      };
      fill();
      const aside = store.sessions;
      store.sessions = {};
      fill();
      const before = used();
      for (let round = 0; round < 20; round++) {
        store.sessions = {};
        fill();
        await wait(0); // a WeakRef that was looked at holds until the end of the job
      }
      store.sessions = {};
      print({ kept: Object.keys(aside).length, held: used() - before });`) as { kept: number; held: number };
    expect(kept).toBe(1000);
    expect(held).toBeLessThan(1_000_000); // all of it were 20
  });

  test('so does a store that is about to remove many', () => {
    const answer = run(`
      const store = new MemoryStore();
      for (let i = 0; i < 50_000; i++) store.records.write('id' + i, 'x', { expires: Date.now() + 200 });
      await wait(210);
      process.on('exit', () => print(store.records.records.size > 0));`);
    expect(answer).toBe(true);
  });

  test('in a process that has nothing else to do, expired sessions leave memory by themselves, all of it', () => {
    const { peak, held, left } = run(`
      const server = require('node:net').createServer().listen(0); // only keeps the process alive
      const store = new MemoryStore();
      const before = used();
      const expires = Date.now() + 3000;
      for (let i = 0; i < 100_000; i++) store.records.write('id' + i, 'text' + i, { expires });
      const peak = used() - before;
      for (let i = 0; i < 300 && used() - before > peak / 20; i++) await wait(100);
      print({ peak, held: used() - before, left: await store.length() }); // the store itself is still in use
      server.close();`) as { peak: number; held: number; left: number };
    expect(peak).toBeGreaterThan(100_000 * 64);
    expect(held).toBeLessThan(peak * 0.05); // less than any part of the store's tables would be
    expect(left).toBe(0);
  });

  test('a session takes the memory of its text, whatever that was cut out of or put together from', () => {
    const [cut, composed] = run(`
      const store = new MemoryStore();
      const expires = Date.now() + 3_600_000;
      const before = used();
      for (let i = 0; i < 1000; i++) {
        const header = 'h'.repeat(20_000) + String(i).padStart(300, '-');
        const body = JSON.stringify({ body: header });
        store.records.write(header.slice(-40), body.slice(-200), { expires });
      }
      const cut = (used() - before) / 1000;
      const middle = used();
      for (let i = 0; i < 1000; i++) {
        let text = '';
        for (let j = 0; j < 200; j++) text += (i + j) % 10;
        store.records.write('composed ' + i, text, { expires });
      }
      const composed = (used() - middle) / 1000;
      print([cut, composed]);`) as [number, number];
    expect(cut).toBeLessThan(1000);
    expect(composed).toBeLessThan(1000);
  });
});
