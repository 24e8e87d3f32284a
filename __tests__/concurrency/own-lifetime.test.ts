import session from '../../lib/index.js';
import { closeSites } from '../support/sites.js';
import { share } from './shared-session.js';

const MINUTE = 60_000;

afterEach(closeSites);

/** A session with a life of its own in a store that reads and prolongs in one step, and what it is asked to do for how long. */
async function open(maxAge: number, options: session.SessionOptions = {}) {
  const { texts } = new session.MemoryStore();
  const calls: [name: string, minutes: number][] = [];
  const note = (name: string, expires: number) =>
    calls.push([name, Math.round((expires - Date.now()) / MINUTE)]);
  const store = {
    ...texts,
    touch: (id: string, expires: number) => {
      note('touch', expires);
      return texts.touch(id, expires);
    },
    getAndTouch: async (id: string, expires: number) => {
      note('getAndTouch', expires);
      return (await texts.touch(id, expires)) ? texts.get(id) : undefined;
    },
  };
  const shared = await share(store, { ...options, cookie: { maxAge: 10 * MINUTE } });
  await shared.request(({ session }) => {
    session.cookie.maxAge = maxAge;
    session.remembered = true;
  });
  await shared.settled();
  calls.length = 0;
  return { ...shared, store, calls };
}

test.each([90, 5])(
  'a session with a life of its own has it while the request is under way, be it longer or shorter: %i minutes',
  async (minutes) => {
    const { begin, calls, settled } = await open(minutes * MINUTE);
    const pending = await begin();
    const own = [
      ['getAndTouch', 10],
      ['touch', minutes],
    ];
    expect(calls).toEqual(own);
    await pending.finish(({ session }) => session.remembered);
    await settled();
    expect(calls).toEqual(own); // the end of the request has nothing to add
  },
);

test.each([0, 1])(
  'one with the life that the option gives, or %i ms less, needs no second step',
  async (less) => {
    const { request, calls, settled } = await open(10 * MINUTE - less);
    await request(({ session }) => session.remembered);
    await settled();
    expect(calls).toEqual([['getAndTouch', 10]]);
  },
);

test('one that is to end with this request is there until then', async () => {
  const { begin, store, id } = await open(5 * MINUTE);
  const text = (await store.get(id))!.replace(`"originalMaxAge":${5 * MINUTE}`, '"originalMaxAge":0');
  await store.set(id, text, { expires: Date.now() + MINUTE });
  const pending = await begin();
  expect(await store.get(id)).toBe(text);
  expect((await pending.finish(({ session }) => session.remembered)).body).toBe('true');
});

test('so has what leads from an id that was rotated away to the present one, by which a theft is noticed', async () => {
  const { request, calls } = await open(90 * MINUTE, { rotateAfter: 1, rotateGrace: MINUTE });
  await request(({ session }) => session.remembered); // rotates, if the one before has not
  calls.length = 0;
  expect((await request(({ session }) => session.remembered)).body).toBe('true');
  expect(calls.slice(0, 4)).toEqual([
    ['getAndTouch', 10],
    ['touch', 90],
    ['getAndTouch', 10],
    ['touch', 90],
  ]);
});

test('a store that fails at that is reported, and asked again at the end of the request', async () => {
  const { request, store, calls, events, settled } = await open(90 * MINUTE);
  const { touch } = store;
  store.touch = async () => {
    store.touch = touch;
    throw new Error('connection lost');
  };
  expect((await request(({ session }) => session.remembered)).body).toBe('true');
  await settled();
  expect(events).toMatchObject([{ name: 'error', error: { message: 'connection lost' } }]);
  expect(calls).toEqual([
    ['getAndTouch', 10],
    ['touch', 90],
  ]);
});
