import { once } from 'node:events';
import { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { type Outcome, play, type Recipe, type Sessions } from '../support/comparison.js';
import { Browser, gate, turn } from '../support/http.js';
import { start } from '../support/lifecycle.js';
import { closeSites, HOSTS, HTTP1_HOSTS, serve } from '../support/sites.js';
import { GATED_STORES } from '../support/test-stores.js';

const onHeaders = require('on-headers') as (res: unknown, listener: () => void) => void;

afterEach(closeSites);

/** What an app does wrong, or unusually, once it has ended its response. */
const afterEnd: Record<string, Recipe> = {
  'end() again': ({ res, log }) => log.attempt('end()', () => res.end()),
  'end(text) again': ({ res, log }) => log.attempt('end(text)', () => res.end('more')),
  'end(text, callback) again': ({ res, log }) =>
    log.attempt('end(text, callback)', () => res.end('more', log.callback('end'))),
  'end(text, encoding, callback) again': ({ res, log }) =>
    log.attempt('end(text, encoding, callback)', () => res.end('more', 'utf8', log.callback('end'))),
  'end(object) again': ({ res, log }) => log.attempt('end(object)', () => res.end({})),
  'write(text)': ({ res, log }) => log.attempt('write(text)', () => res.write('more')),
  'write(text, callback)': ({ res, log }) =>
    log.attempt('write(text, callback)', () => res.write('more', log.callback('write'))),
  'write(text, encoding, callback)': ({ res, log }) =>
    log.attempt('write(text, encoding, callback)', () => res.write('more', 'latin1', log.callback('write'))),
  'write(bytes, callback)': ({ res, log }) =>
    log.attempt('write(bytes, callback)', () => res.write(Buffer.from('more'), log.callback('write'))),
  "write('')": ({ res, log }) => log.attempt("write('')", () => res.write('', log.callback('write'))),
  'write(null)': ({ res, log }) => log.attempt('write(null)', () => res.write(null)),
  'write()': ({ res, log }) => log.attempt('write()', () => res.write()),
  'write(object)': ({ res, log }) => log.attempt('write(object)', () => res.write({})),
  'write(number)': ({ res, log }) => log.attempt('write(number)', () => res.write(1)),
  'write(function)': ({ res, log }) => log.attempt('write(function)', () => res.write(() => {})),
  'write(text), twice, and end()': ({ res, log }) => {
    log.attempt('write 1', () => res.write('more', log.callback('write 1')));
    log.attempt('write 2', () => res.write('more', log.callback('write 2')));
    log.attempt('end()', () => res.end());
  },
  'write(text, callback) and destroy()': ({ res, log }) => {
    log.attempt('write(text, callback)', () => res.write('more', log.callback('write')));
    log.attempt('destroy()', () => res.destroy() === res);
  },
  'destroy() and end(text)': ({ res, log }) => {
    log.attempt('destroy()', () => res.destroy() === res);
    log.attempt('end(text)', () => res.end('more'));
  },
  'setHeader()': ({ res, log }) => log.attempt('setHeader()', () => res.setHeader('X-Late', '1')),
  'setHeader() without a value': ({ res, log }) => log.attempt('setHeader()', () => res.setHeader('X-Late')),
  'setHeader() of a bad name': ({ res, log }) =>
    log.attempt('setHeader()', () => res.setHeader('not a name', '1')),
  'setHeaders()': ({ res, log }) =>
    log.attempt('setHeaders()', () => res.setHeaders(new Map([['x-late', '1']]))),
  'appendHeader()': ({ res, log }) => log.attempt('appendHeader()', () => res.appendHeader('X-Late', '1')),
  'removeHeader()': ({ res, log }) => log.attempt('removeHeader()', () => res.removeHeader('X-Early')),
  'removeHeader() without a name': ({ res, log }) => log.attempt('removeHeader()', () => res.removeHeader()),
  'getHeader() and its siblings': ({ res, log }) => {
    log.note('getHeader', res.getHeader('x-first'), res.hasHeader('X-First'), res.getHeaderNames());
  },
  'writeHead()': ({ res, log }) => log.attempt('writeHead()', () => res.writeHead(404, { 'X-Late': '1' })),
  'writeHead() of the same status': ({ res, log }) => log.attempt('writeHead()', () => res.writeHead(200)),
  'writeHead() of a bad status': ({ res, log }) => log.attempt('writeHead()', () => res.writeHead(7)),
  'flushHeaders()': ({ res, log }) => log.attempt('flushHeaders()', () => res.flushHeaders()),
  statusCode: ({ res, log }) => {
    res.statusCode = 404;
    log.note('statusCode', res.statusCode);
    res.once('close', () => log.note('statusCode when closed', res.statusCode));
  },
  statusMessage: ({ res, log }) => {
    res.statusMessage = 'Too Late';
    log.note('statusMessage', res.statusMessage);
  },
  'what the response says of itself': ({ res, log }) => {
    const { headersSent, writableEnded, finished, destroyed, statusCode } = res;
    log.note('state', { headersSent, writableEnded, finished, destroyed, statusCode });
  },
  'the old question whether it has ended, and a fallback if not': ({ res, log }) => {
    if (!res.finished) log.attempt('end(fallback)', () => res.end('fallback'));
  },
  'all of it when the response has finished': async ({ res, log }) => {
    await new Promise((resolve) => res.once('finish', resolve));
    log.attempt('end()', () => res.end());
    log.attempt('end(callback)', () => res.end(log.callback('end')));
    log.attempt('end(text, callback)', () => res.end('more', log.callback('end with text')));
    log.attempt('write(text, callback)', () => res.write('more', log.callback('write')));
    log.attempt('setHeader()', () => res.setHeader('X-Late', '1'));
    log.attempt('appendHeader()', () => res.appendHeader('X-Late', '1'));
    log.attempt('removeHeader()', () => res.removeHeader('X-Late'));
    log.attempt('writeHead()', () => res.writeHead(200));
    log.attempt('flushHeaders()', () => res.flushHeaders());
    log.note('state', res.headersSent, res.writableEnded, res.writableFinished);
  },
  'all of it when the connection is closed': async ({ res, log }) => {
    await new Promise((resolve) => res.once('close', resolve));
    log.attempt('end(text, callback)', () => res.end('more', log.callback('end with text')));
    log.attempt('write(text, callback)', () => res.write('more', log.callback('write')));
    log.attempt('setHeader()', () => res.setHeader('X-Late', '1'));
  },
};

/** The same a little later, when a plain response would be over. */
const soonAfterEnd: Record<string, Recipe> = {
  'end(text) in a tick': ({ res, log }) =>
    process.nextTick(() => log.attempt('end(text)', () => res.end('more'))),
  'write(text) in a tick': ({ res, log }) =>
    process.nextTick(() => log.attempt('write(text)', () => res.write('more'))),
  'end(text) in a tick of a tick': ({ res, log }) =>
    process.nextTick(() => process.nextTick(() => log.attempt('end(text)', () => res.end('more')))),
  'end(text) after a promise': async ({ res, log }) => {
    await null;
    log.attempt('end(text)', () => res.end('more'));
  },
  'write(text) after promises': async ({ res, log }) => {
    for (let turns = 0; turns < 3; turns++) await null;
    log.attempt('write(text)', () => res.write('more'));
  },
  'write(text, callback) in a tick after a promise': async ({ res, log }) => {
    await null;
    process.nextTick(() =>
      log.attempt('write(text, callback)', () => res.write('more', log.callback('write'))),
    );
  },
  'end(text) in a tick after a promise': async ({ res, log }) => {
    await null;
    process.nextTick(() => log.attempt('end(text)', () => res.end('more')));
  },
  'a stream that is piped into it': ({ res, log }) => {
    log.attempt('pipe()', () => Readable.from(['more']).pipe(res));
  },
  'the old question whether it has ended, in a microtask and in a tick': async ({ res, log }) => {
    process.nextTick(() => log.note('finished in a tick', res.finished));
    await null;
    if (!res.finished) log.attempt('end(fallback)', () => res.end('fallback'));
  },
};

const { prototype: real } = ServerResponse;

/** The same by methods that the middleware has no part in. */
const pastUs: Record<string, Recipe> = {
  'end()': ({ res, log }) => log.attempt('end()', () => Reflect.apply(real.end, res, [])),
  'end(text, callback)': ({ res, log }) =>
    log.attempt('end(text, callback)', () => Reflect.apply(real.end, res, ['more', log.callback('end')])),
  'write(text, callback)': ({ res, log }) =>
    log.attempt('write(text, callback)', () =>
      Reflect.apply(real.write, res, ['more', log.callback('write')]),
    ),
};

/** Ways to end the response first. */
const endings: Record<string, Recipe> = {
  'end()': ({ res, log }) => log.attempt('first end()', () => res.end()),
  'end(text, callback)': ({ res, log }) =>
    log.attempt('first end(text, callback)', () => res.end('text', log.callback('first end'))),
  'writeHead() and end(text)': ({ res, log }) =>
    log.attempt('first end(text)', () => res.writeHead(200, { 'X-Early': '2' }).end('text')),
  'write(text) and end()': ({ res, log }) => {
    log.attempt('first write(text)', () => res.write('text', log.callback('first write')));
    log.attempt('first end()', () => res.end());
  },
};

const changed: Sessions = {
  store: 'callback store',
  known: true,
  act: (session) => (session.changed = true),
};
const untouched: Sessions = { store: 'callback store', known: false, act: () => {} };

describe.each(Object.entries(endings))('after %s', (_ending, end) => {
  const combined = (recipe: Recipe): Recipe => {
    return (context) => {
      context.res.setHeader('X-Early', '1');
      context.res.setHeader('X-First', '1');
      end(context);
      return recipe(context);
    };
  };

  test.each(Object.entries(afterEnd))(
    'L8: the errors of plain node:http, and its bytes: %s',
    async (_name, recipe) => {
      const plain = await play(combined(recipe));
      expect(plain.log.length).toBeGreaterThan(2);
      expect(await play(combined(recipe), {}, changed)).toEqual({ ...plain, cookies: [] });
      expect(await play(combined(recipe), {}, untouched)).toEqual({ ...plain, cookies: [] });
    },
  );
});

/** In any order: the response finishes later. */
const inAnyOrder = ({ wire, log }: Outcome) => ({ wire, log: log.toSorted() });

describe.each(Object.entries(endings))('soon after %s', (_ending, end) => {
  const combine = (recipe: Recipe): Recipe => {
    return (context) => {
      end(context);
      return recipe(context);
    };
  };

  test.each(Object.entries(soonAfterEnd))(
    'L8: no error, as with plain node:http: %s',
    async (_name, recipe) => {
      const combined = combine(recipe);
      const plain = inAnyOrder(await play(combined));
      expect(plain.log.join()).not.toContain('event error');
      expect(inAnyOrder(await play(combined, {}, changed))).toEqual(plain);
      expect(inAnyOrder(await play(combined, {}, untouched))).toEqual(plain);
    },
  );

  test.each(Object.entries(pastUs))(
    'L8: as with plain node:http: %s of the prototype',
    async (_name, recipe) => {
      const combined = combine(recipe);
      const plain = inAnyOrder(await play(combined));
      expect(inAnyOrder(await play(combined, {}, changed))).toEqual(plain);
      expect(inAnyOrder(await play(combined, {}, untouched))).toEqual(plain);
    },
  );
});

test.each(Object.entries(endings))('L8: end(callback) again, after %s', async (_ending, end) => {
  const recipe: Recipe = (context) => {
    end(context);
    context.log.attempt('end(callback)', () => context.res.end(context.log.callback('end')));
  };
  const plain = await play(recipe);
  // What it is called back with is another thing in each version of Node.
  expect(plain.log.filter((entry) => entry.startsWith('callback of end:'))).toHaveLength(1);
  const ours = await play(recipe, {}, changed);
  // Where all bytes have gone to the kernel at once, Node calls back from within end().
  expect([...ours.log].sort()).toEqual([...plain.log].sort());
});

/** What an app does between writeHead() and the end. */
const afterHead: Record<string, Recipe> = {
  'setHeader()': afterEnd['setHeader()']!,
  'setHeader() without a value': afterEnd['setHeader() without a value']!,
  'setHeaders()': afterEnd['setHeaders()']!,
  'appendHeader()': afterEnd['appendHeader()']!,
  'removeHeader()': afterEnd['removeHeader()']!,
  'another writeHead()': afterEnd['writeHead()']!,
  'writeHead() of a bad status': afterEnd['writeHead() of a bad status']!,
  'statusCode ': afterEnd['statusCode']!,
  'statusMessage ': afterEnd['statusMessage']!,
  'what the response says of itself': afterEnd['what the response says of itself']!,
  'write(object)': ({ res, log }) => log.attempt('write(object)', () => res.write({})),
  'write(null)': ({ res, log }) => log.attempt('write(null)', () => res.write(null)),
  'end(object)': ({ res, log }) => log.attempt('end(object)', () => res.end({})),
};

describe('after writeHead()', () => {
  test.each(Object.entries(afterHead))(
    'L8: the errors of plain node:http, and its bytes: %s',
    async (_name, recipe) => {
      const combined: Recipe = (context) => {
        const { res, log } = context;
        log.attempt('first writeHead()', () => res.writeHead(200, { 'X-Early': '1' }));
        recipe(context);
        res.end('text', log.callback('last end'));
      };
      const plain = await play(combined);
      expect(await play(combined, {}, changed)).toEqual({ ...plain, cookies: [] });
      expect(await play(combined, {}, untouched)).toEqual({ ...plain, cookies: [] });
    },
  );

  test('L8: a header object that the app goes on using', async () => {
    const recipe: Recipe = ({ res }) => {
      const headers: Record<string, unknown> = { 'X-Early': '1', 'X-List': ['a'] };
      res.writeHead(200, headers);
      headers['X-Early'] = '2';
      headers['X-Late'] = '1';
      (headers['X-List'] as string[]).push('b');
      res.end('text');
    };
    const plain = await play(recipe);
    expect(plain.wire).toContain('X-Early: 1\r\nX-List: a\r\nConnection');
    expect(await play(recipe, {}, changed)).toEqual({ ...plain, cookies: [] });
  });
});

const noteHeaders: Recipe = ({ res, log }) => {
  const names = ['x-early', 'X-Head', 'set-cookie', 'x-none'];
  log.note('getHeader()', ...names.map((name) => res.getHeader(name)));
  log.note('hasHeader()', ...names.map((name) => res.hasHeader(name)));
  log.note('all', res.getHeaders(), res.getHeaderNames(), res.getRawHeaderNames());
  log.attempt('getHeader() without a name', () => res.getHeader());
};

/** What the app does to its headers before it looks at them. */
const heads: Record<string, Recipe> = {
  'no headers': ({ res }) => res.writeHead(201),
  'an object': ({ res }) => res.writeHead(201, { 'X-Early': '2', 'X-Head': 'a' }),
  'a reason and an object': ({ res }) => res.writeHead(201, 'Made', { 'x-head': ['a', 'b'] }),
  'a flat list': ({ res }) => res.writeHead(201, ['X-Early', '2', 'X-Head', 'a']),
  'a Set-Cookie in place of one that was set': ({ res }) => {
    if (res.hasHeader('x-early')) res.setHeader('Set-Cookie', 'a=1');
    res.writeHead(201, { 'Set-Cookie': ['b=2', 'c=3'] });
  },
  'an on-headers listener': ({ res }) => {
    onHeaders(res, () => res.setHeader('X-Head', `of a listener, beside ${res.getHeader('x-other')}`));
    res.writeHead(201, { 'X-Other': 'a' });
  },
  'getHeader() taken before': (context) => {
    const { res, log } = context;
    const { getHeader } = res;
    res.writeHead(201, { 'X-Head': 'a' });
    const later = res.getHeader;
    res.on('finish', () =>
      log.note('taken before', getHeader.call(res, 'X-Head'), later.call(res, 'X-Head')),
    );
  },
  'a getHeader() of the app': ({ res }) => {
    res.getHeader = () => 'mine';
    res.writeHead(201, { 'X-Early': '2' });
  },
};

describe.each(['a header was set', 'no header was set'])('headers of writeHead(), where %s', (when) => {
  test.each(Object.entries(heads))('L8: are read as with plain node:http: %s', async (_name, writeHead) => {
    const recipe: Recipe = (context) => {
      const { res } = context;
      if (when === 'a header was set') res.setHeader('X-Early', '1');
      res.on('finish', () => noteHeaders(context));
      writeHead(context);
      noteHeaders(context);
      res.end('text');
      noteHeaders(context);
    };
    const plain = await play(recipe);
    expect(await play(recipe, {}, changed)).toEqual({ ...plain, cookies: [] });
    expect(await play(recipe, {}, untouched)).toEqual({ ...plain, cookies: [] });
  });
});

test('L8: headers of a writeHead() that was taken back cannot be read any more', async () => {
  const seen: unknown[] = [];
  const fixture = await start({
    host: 'node:http',
    store: 'text store',
    options: { saveFailure: 'error' },
    after: [
      (req, res) => {
        req.session.changed = true;
        res.setHeader('X-Early', '1');
        res.writeHead(201, { 'X-Early': '2', 'X-Head': 'a' }).end('text');
        seen.push(res.getHeader('X-Early'), res.getHeader('X-Head'));
      },
    ],
    onError: (_error, _req, res) => {
      seen.push(res.getHeader('X-Early'), res.getHeaderNames().includes('x-head'));
      res.end('error page');
    },
  });
  fixture.traffic.fail('set', new Error('away'));
  const { status, headers } = await fixture.browser.get('/');
  expect(seen).toEqual(['2', 'a', '1', false]);
  expect({ status, early: headers['x-early'], head: headers['x-head'] }).toEqual({
    status: 500,
    early: '1',
    head: undefined,
  });
});

/** Mistakes that throw, after which the app may still answer. */
const mistakes: Record<string, Recipe> = {
  'end(object)': ({ res }) => res.end({}),
  'end(number)': ({ res }) => res.end(1),
  'end(true)': ({ res }) => res.end(true),
  'end(symbol)': ({ res }) => res.end(Symbol('text')),
  'end(array, callback)': ({ res, log }) => res.end(['a'], log.callback('end')),
  'write(object)': ({ res }) => res.write({}),
  'write(null)': ({ res }) => res.write(null),
  'write()': ({ res }) => res.write(),
  'write(function)': ({ res }) => res.write(() => {}),
  'writeHead() of a status too low': ({ res }) => res.writeHead(99),
  'writeHead() of a status too high': ({ res }) => res.writeHead(1000),
  'writeHead() of no status': ({ res }) => res.writeHead('abc'),
  'writeHead() with a bad reason': ({ res }) => res.writeHead(404, 'O\nK'),
  'writeHead() with a bad name': ({ res }) => res.writeHead(404, { 'not a name': '1' }),
  'writeHead() with a bad value': ({ res }) => res.writeHead(404, { 'X-Bad': 'a\nb' }),
  'writeHead() with an undefined value': ({ res }) => res.writeHead(404, { 'X-Bad': undefined }),
  'writeHead() with half a pair': ({ res }) => res.writeHead(404, ['X-Bad']),
  'setHeader() of a bad name': ({ res }) => res.setHeader('not a name', '1'),
};

describe.each(['a header was set', 'no header was set'])('a mistake, where %s', (when) => {
  test.each(Object.entries(mistakes))('L8: throws as plain node:http does: %s', async (_name, mistake) => {
    const recipe: Recipe = (context) => {
      const { res, log } = context;
      if (when === 'a header was set') res.setHeader('X-Early', '1');
      log.attempt('the mistake', () => mistake(context));
      log.note('state', res.headersSent, res.writableEnded, res.statusCode, res.statusMessage);
      if (res.statusMessage?.includes('\n')) res.statusMessage = 'OK'; // Node keeps a bad one
      log.attempt('end()', () => res.end('text', log.callback('end')));
    };
    const plain = await play(recipe);
    expect(plain.log[0]).toMatch(/^the mistake throws: (TypeError|RangeError) ERR_/);
    expect(await play(recipe, {}, changed)).toEqual({ ...plain, cookies: [] });
    expect(await play(recipe, {}, untouched)).toEqual({ ...plain, cookies: [] });
  });
});

describe.each(HTTP1_HOSTS)('%s', (host) => {
  test('L8: a status that cannot be sent reaches the error handler', async () => {
    const fixture = await start({
      host,
      store: 'callback store',
      after: [
        (req, res) => {
          req.session.changed = true;
          res.statusCode = 99;
          res.end('text');
        },
      ],
    });
    const { status, body } = await fixture.browser.get('/');
    expect({ status, body }).toEqual({ status: 500, body: 'error: Invalid status code: 99' });
    expect(fixture.site.errors).toEqual([expect.objectContaining({ code: 'ERR_HTTP_INVALID_STATUS_CODE' })]);
  });
});

test('L8: end() of more than the Content-Length says, where that is strict, reaches the error handler', async () => {
  const log: unknown[] = [];
  const fixture = await start({
    host: 'node:http',
    store: 'callback store',
    after: [
      (_req, res) => {
        res.strictContentLength = true;
        res.setHeader('Content-Length', 3);
        log.push(res.end('text') === res);
      },
    ],
    onError: (error: any, _req, res) => {
      log.push(error.code);
      res.destroy();
    },
  });
  await expect(fixture.browser.get('/')).rejects.toThrow();
  expect(log).toEqual([true, 'ERR_HTTP_CONTENT_LENGTH_MISMATCH']);
});

test('L8: a status that there is not is an error of next(), after the session was stored', async () => {
  const log: unknown[] = [];
  const fixture = await start({
    host: 'node:http',
    store: 'callback store',
    after: [
      (req, res) => {
        req.session.color = 'red';
        res.statusCode = 99;
        log.push(res.end('text') === res);
      },
    ],
    onError: (error: any, _req, res) => {
      log.push(error.code);
      res.statusCode = 500;
      res.end('error page');
    },
  });
  expect(await fixture.browser.get('/')).toMatchObject({ status: 500, body: 'error page' });
  expect(log).toEqual([true, 'ERR_HTTP_INVALID_STATUS_CODE']);
  expect(Object.values(fixture.data())).toEqual([{ color: 'red' }]);
});

describe.each(GATED_STORES)('%s', (store) => {
  test('L8: what is called during the held save, when a plain response would be over, is no reason to crash', async () => {
    const held = gate();
    const log: unknown[] = [];
    const fixture = await start({
      host: 'node:http',
      store,
      after: [
        async (req, res) => {
          res.on('error', (error: unknown) => log.push(['error event', error]));
          req.session.changed = true;
          res.end('text');
          await held.opened;
          log.push(['end', res.end('more', (error: any) => log.push(['end', error?.code])) === res]);
          log.push(['write', res.write('more', (error: any) => log.push(['write', error?.code]))]);
          log.push(['end', res.end((error: any) => log.push(['end without text', error?.code])) === res]);
          save.open();
        },
      ],
    });
    const save = fixture.traffic.hold('set');
    const exchange = fixture.browser.start('/');
    await save.reached;
    held.open();
    expect(await exchange.answer).toMatchObject({ status: 200, body: 'text' });
    await fixture.settled();
    expect(log).toEqual([
      ['end', true],
      ['write', false],
      ['end', true],
      ['end without text', 'ERR_STREAM_ALREADY_FINISHED'],
      // On a response that is over, Node calls back neither end(text, callback) nor listeners of 'error'.
      ['write', 'ERR_STREAM_WRITE_AFTER_END'],
    ]);
  });
});

test.each(GATED_STORES)('L8: so it is where the client leaves before the save is done: %s', async (store) => {
  const held = gate();
  const log: unknown[] = [];
  const fixture = await start({
    host: 'node:http',
    store,
    after: [
      async (req, res) => {
        res.on('error', (error: unknown) => log.push(['error event', error]));
        req.session.changed = true;
        res.end('text');
        await held.opened;
        res.write('more', (error: any) => log.push(['write', error?.code]));
        exchange.leave();
        await once(res, 'close');
        save.open();
      },
    ],
  });
  const save = fixture.traffic.hold('set');
  const exchange = fixture.browser.start('/');
  await save.reached;
  held.open();
  await expect(exchange.answer).rejects.toThrow();
  await fixture.settled();
  await turn();
  expect(log).toEqual([['write', 'ERR_STREAM_WRITE_AFTER_END']]);
});

describe.each(HOSTS)('%s', (host) => {
  test('L8: end() returns the response each time', async () => {
    const results: unknown[] = [];
    const fixture = await start({
      host,
      store: 'callback store',
      after: [
        (req, res) => {
          req.session.changed = true;
          results.push(res.end('text') === res, res.end() === res, res.writableEnded, res.headersSent);
        },
      ],
    });
    expect(await fixture.browser.get('/')).toMatchObject({ status: 200, body: 'text' });
    expect(results).toEqual([true, true, true, true]);
  });
});

test.each<[string, unknown[]]>([
  ['end()', []],
  ["end('text')", ['text']],
  ["end('text', 'utf8')", ['text', 'utf8']],
  ["end('text', 'utf8', callback)", ['text', 'utf8', () => {}]],
  ['end(callback)', [() => {}]],
])('L8: %s reaches a method that was wrapped before with no argument more', async (_name, args) => {
  const counts: number[] = [];
  const counting = (method: 'end' | 'writeHead') => (_req: any, res: any, next: any) => {
    const real = res[method];
    res[method] = function (...given: unknown[]) {
      counts.push(given.length);
      return real.apply(this, given);
    };
    next();
  };
  const { browser } = await start({
    host: 'node:http',
    store: 'callback store',
    before: [counting('end'), counting('writeHead')],
    after: [(_req, res) => res.writeHead(200, { 'x-early': '1' }).end(...args)],
  });
  expect(await browser.get('/')).toMatchObject({ status: 200 });
  expect(counts).toEqual([2, args.length]); // the head goes out first
});

test('L8: http/2 refuses with the errors of its own', async () => {
  const attempts: Record<string, (res: any) => unknown> = {
    setHeader: (res) => res.setHeader('x-late', '1'),
    appendHeader: (res) => res.appendHeader('x-late', '1'),
    removeHeader: (res) => res.removeHeader('x-early'),
    writeHead: (res) => res.writeHead(404),
  };
  const seen: Record<string, unknown[]> = { plain: [], sessions: [] };
  const handler = (log: unknown[]) => (req: any, res: any) => {
    if (req.session) req.session.changed = true;
    res.setHeader('x-early', '1');
    if (log === seen['plain'])
      res.flushHeaders(); // on HTTP/2, end() alone leaves a moment for more headers
    else res.end('text');
    for (const [name, attempt] of Object.entries(attempts)) {
      try {
        log.push([name, attempt(res)]);
      } catch (error: any) {
        log.push([name, error.name, error.code, error.message]);
      }
    }
    res.end();
  };
  await new Browser(await serve('http/2', [handler(seen['plain']!)])).get('/');
  const fixture = await start({
    host: 'http/2',
    store: 'callback store',
    after: [handler(seen['sessions']!)],
  });
  const answer = await fixture.browser.get('/');
  expect(answer).toMatchObject({ status: 200, body: 'text', headers: { 'x-early': '1' } });
  expect(seen['sessions']).toEqual(seen['plain']);
  expect(seen['sessions']).toHaveLength(4);
});
