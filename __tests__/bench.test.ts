/** The benchmark's arithmetic, and that the page shows the saved results. Figures themselves are not tested here. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const ROOT = join(__dirname, '..');
const benchRequire = createRequire(join(ROOT, 'bench/run.js'));

describe('statistics', () => {
  const { quartiles, shuffled } = benchRequire('./statistics.js');

  test('quartiles lie between the sorted numbers', () => {
    expect(quartiles([40, 10, 30, 20])).toEqual({ q1: 17.5, median: 25, q3: 32.5 });
    expect(quartiles([3, 1, 2])).toEqual({ q1: 1.5, median: 2, q3: 2.5 });
    expect(quartiles([7])).toEqual({ q1: 7, median: 7, q3: 7 });
  });

  test('shuffled has the same members, and leaves the list alone', () => {
    const list = [1, 2, 3, 4, 5];
    expect(shuffled(list).sort()).toEqual([1, 2, 3, 4, 5]);
    expect(list).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('costs', () => {
  const { costs } = benchRequire('./costs.js');

  test('are those beyond the bare app, and ratios are taken within a round', () => {
    const rounds = [
      { bare: 10, 'express-session': 30, 'steady-session': 15 },
      { bare: 20, 'express-session': 120, 'steady-session': 30 },
      { bare: 10, 'express-session': 20, 'steady-session': 14 },
    ];
    expect(costs(rounds)).toEqual({
      bare: { cost: { q1: 10, median: 10, q3: 15 } },
      'express-session': {
        cost: { q1: 15, median: 20, q3: 60 },
        ratio: { q1: 1, median: 1, q3: 1 },
      },
      'steady-session': {
        cost: { q1: 4.5, median: 5, q3: 7.5 },
        ratio: { q1: 0.175, median: 0.25, q3: 0.325 },
      },
    });
  });
});

describe('an exchange', () => {
  const { NullSocket, exchange } = benchRequire('./exchange.js');

  test('brings the cookie, ends as in a server, and counts writes', async () => {
    const socket = new NullSocket();
    const seen: unknown[] = [];
    const listener = (req: any, res: any) => {
      seen.push(req.method, req.url, req.headers.cookie);
      res.on('finish', () => seen.push('finish')).on('close', () => seen.push('close'));
      res.write('one');
      setImmediate(() => res.end('two'));
    };
    await new Promise((resolve) => exchange(listener, socket, Buffer.from('a=b'), resolve));
    expect(seen).toEqual(['GET', '/', 'a=b', 'finish', 'close']);
    expect(socket.writes).toBe(2);
  });
});

describe('the saved results', () => {
  const { goalsOf } = benchRequire('./goals.js');
  const { render, savedResults } = benchRequire('./report.js');
  const { scenarios } = benchRequire('./scenarios.js');
  const results = savedResults();
  const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

  test('are those that docs/performance.md and the chart show', () => {
    expect(render(results)).toEqual({
      page: read('docs/performance.md'),
      svg: read('docs/performance.svg'),
    });
  });

  test('have every scenario, of CPU time and of bytes', () => {
    expect(Object.keys(results.time)).toEqual(Object.keys(scenarios));
    expect(Object.keys(results.allocations)).toEqual(Object.keys(scenarios));
  });

  test('a goal is met by what is at most that, and by nothing that was not measured', () => {
    const goals: { value: number; goal: number; met: boolean }[] = goalsOf(results);
    expect(goals.length).toBeGreaterThan(50);
    expect(goals.map(({ met }) => met)).toEqual(goals.map(({ value, goal }) => value <= goal));
    expect(goalsOf({})).toEqual([]);
  });

  test('the chart can be read without seeing it, and loads nothing', () => {
    const svg = read('docs/performance.svg');
    expect(svg).toContain('role="img" aria-labelledby="title desc"');
    expect(svg.match(/<title id="title">[^<]+<\/title>/)).toHaveLength(1);
    for (const { title } of Object.values<any>(scenarios)) {
      expect(svg).toMatch(new RegExp(`<desc id="desc">[^<]*${title}: CPU time \\d`));
    }
    expect(svg.match(/(?:href|src|url\(|@import)/g)).toBeNull();
  });
});
