import session from '../../lib/index.js';
import { Browser } from '../support/http.js';
import { baseOptions } from '../support/lifecycle.js';
import { closeSites, type Handler, serve } from '../support/sites.js';

// What the fourth hostile review found, and is shown nowhere else: errors beside the store, which ended the process.

afterEach(closeSites);

async function open(app: Handler, options: session.SessionOptions = {}) {
  const store = new session.MemoryStore();
  const sessions = session({ ...baseOptions, store, ...options });
  const site = await serve('node:http', [sessions, app]);
  return { site, store, browser: new Browser(site) };
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
