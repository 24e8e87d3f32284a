import type session from '../../lib/index.js';
import { begin, combine, start } from '../support/lifecycle.js';
import { closeSites, type Handler, HOSTS } from '../support/sites.js';
import { STORES } from '../support/test-stores.js';

afterEach(closeSites);

/** What an app may put in the place of its session, that is none. */
const replacements: Record<string, (own: any) => unknown> = {
  'an object': () => ({ user: 'ann' }),
  'an object with a touch()': () => ({ user: 'ann', touch() {} }),
  'an object with an id': ({ id }) => ({ id, user: 'ann' }),
  'a copy of the session': (own) => ({ ...own, user: 'ann' }),
  'a copy with its prototype': (own) => Object.assign(Object.create(Object.getPrototypeOf(own)), own),
  'a text': () => 'ann',
  'a number': () => 5,
  'a list': () => [],
};

describe.each(combine(HOSTS, STORES))('%s, %s', (host, store) => {
  const replace =
    (by: (own: any) => unknown): Handler =>
    (req, res) => {
      req.session = by(req.session) as never;
      res.end('done');
    };
  const open = (by: (own: any) => unknown, options: session.SessionOptions) =>
    start({ host, store, options, after: [replace(by)] });

  test.each(Object.entries(replacements))('%s in the place of the session is an error', async (_what, by) => {
    const { browser, site, settled, onlyData } = await open(by, { saveFailure: 'error' });
    expect(await browser.get('/')).toMatchObject({ status: 500, setCookie: [] });
    await settled();
    expect(site.errors).toMatchObject([{ code: 'ERR_SESSION_REPLACED' }]);
    expect(onlyData()).toBeUndefined();
  });

  test('the session that was stored stays as it was', async () => {
    const fixture = await open(replacements['an object']!, { saveFailure: 'error' });
    await begin(fixture);
    expect((await fixture.browser.get('/')).status).toBe(500);
    expect(fixture.onlyData()).toEqual({ user: 'ada' });
  });

  test('by default the error comes after the response', async () => {
    const { browser, site, settled } = await open(replacements['an object']!, {});
    expect(await browser.get('/')).toMatchObject({ status: 200, body: 'done' });
    await settled();
    expect(site.errors).toMatchObject([{ code: 'ERR_SESSION_REPLACED' }]);
  });

  test('one that is replaced when the response is over is told of, and harms nobody', async () => {
    const fixture = await start({
      host,
      store,
      after: [
        (req, res) => {
          res.on('finish', () => {
            req.session = { user: 'ann' } as never;
          });
          res.end('done');
        },
      ],
    });
    const told: unknown[] = [];
    fixture.sessions.on('error', ({ error }) => told.push(error));
    fixture.sessions.on('save', () => told.push('save'));
    await begin(fixture);
    told.length = 0;
    expect((await fixture.browser.get('/')).body).toBe('done');
    await fixture.settled();
    expect(told).toMatchObject([{ code: 'ERR_SESSION_REPLACED' }]);
    expect(fixture.onlyData()).toEqual({ user: 'ada' });
  });
});
