import { EventEmitter } from 'node:events';
import session from '../../lib/index.js';
import { Browser } from '../support/http.js';
import { baseOptions } from '../support/lifecycle.js';
import { closeSites, type Handler, serve } from '../support/sites.js';

// What the fourth hostile review and the testers beside it found, and is shown nowhere else.

afterEach(closeSites);

async function open(app: Handler, options: session.SessionOptions = {}) {
  const store = new session.MemoryStore();
  const sessions = session({ ...baseOptions, store, ...options });
  const site = await serve('node:http', [sessions, app]);
  return { site, sessions, store, browser: new Browser(site) };
}

const stores: session.SessionOptions[] = [{ concurrency: 'merge' }, { concurrency: 'overwrite' }];

test.each(stores)('%j: an app whose touch() takes the session away gets the error', async (options) => {
  const { site, browser } = await open((req, res) => {
    req.session.user = 'ada';
    const touch = () => {
      req.session = null;
    };
    Object.defineProperty(req.session, 'touch', { value: touch });
    res.end('done');
  }, options);

  expect((await browser.get('/')).body).toBe('done');
  await site.settled();
  expect(site.errors).toEqual([expect.any(TypeError)]);
});

test.each(stores)('%j: an app whose save() throws gets the error', async (options) => {
  const { site, browser } = await open(
    (req, res) => {
      req.session.user = 'ada';
      const save = () => {
        throw new Error('not now');
      };
      Object.defineProperty(req.session, 'save', { value: save });
      res.end('done');
    },
    { ...options, saveFailure: 'error' },
  );

  expect((await browser.get('/')).body).toBe('error: not now');
  expect(site.errors).toEqual([expect.objectContaining({ message: 'not now' })]);
});

test('what a store puts on the session, and no JSON can hold, is no failure of the save', async () => {
  const { site, store, browser } = await open(
    (req, res) => {
      req.session.user = 'ada';
      res.end('done');
    },
    { concurrency: 'overwrite', saveFailure: 'error' },
  );
  const { set } = store;
  store.set = function (this: unknown, id: string, value: any, ...rest: any[]): any {
    const result = (set as any).call(this, id, value, ...rest);
    value.version = 1n;
    return result;
  };

  expect((await browser.get('/')).body).toBe('done');
  expect(site.errors).toEqual([]);
  expect(Object.values(store.sessions).map((text) => JSON.parse(text).user)).toEqual(['ada']);
});

test.each(['set', 'touch'] as const)(
  "what a callback store's %s throws once it has called back is reported, and ends nothing",
  async (method) => {
    const { sessions, store, browser } = await open(
      (req, res) => {
        if (method === 'set') req.session.views = (req.session.views ?? 0) + 1;
        req.session.user ??= 'ada';
        res.end(req.session.user);
      },
      { concurrency: 'overwrite' },
    );
    const reported: unknown[] = [];
    sessions.on('error', ({ error }) => reported.push(error));
    await browser.get('/');
    const late = new Error('too late');
    store[method] = ((_id: string, _session: object, callback: () => void) => {
      callback();
      throw late;
    }) as never;

    expect((await browser.get('/')).body).toBe('ada');
    expect((await browser.get('/')).body).toBe('ada');
    expect(new Set(reported)).toEqual(new Set([late]));
  },
);

test.each([
  ['resolves', async () => {}, 200],
  ['rejects', async () => Promise.reject(new Error('not now')), 500],
])('regenerate() with a store whose destroy() takes no callback and %s', async (_, destroy, status) => {
  const { store, browser } = await open(
    (req, res, next) => {
      req.session.regenerate((error: unknown) => (error ? next(error) : res.end('done')));
    },
    { concurrency: 'overwrite' },
  );
  store.destroy = destroy as never;
  expect((await browser.get('/')).status).toBe(status);
});

/** Stores that a look at `get` alone would take for express-session's. */
class WithOptions implements session.SessionStore {
  readonly inner = new session.MemoryStore();
  get(id: string, _options?: object): Promise<string | undefined>;
  get(id: string, _options: object | undefined): Promise<string | undefined> {
    return this.inner.get(id);
  }
  set(id: string, text: string, how: session.SetOptions): Promise<boolean> {
    return this.inner.set(id, text, how);
  }
  touch(id: string, expires: number): Promise<boolean> {
    return this.inner.touch(id, expires);
  }
  destroy(id: string): Promise<void> {
    return this.inner.destroy(id);
  }
}

test('a SessionStore may have more parameters, or emit events', async () => {
  const emitting = new session.MemoryStore();
  const { get, set, touch, destroy } = emitting.texts;
  const stores: session.SessionStore[] = [
    new WithOptions(),
    Object.assign(new EventEmitter(), { get, set, touch, destroy }),
  ];
  for (const store of stores) {
    const { browser } = await open(
      (req, res) => {
        req.session.views = (req.session.views ?? 0) + 1;
        res.end(`${req.session.views}`);
      },
      { store },
    );
    await browser.get('/');
    expect((await browser.get('/')).body).toBe('2');
  }
});
