import { once } from 'node:events';
import type session from '../../lib/index.js';
import { eventually } from '../support/async.js';
import { CountingStore, closeAll, type SiteOptions, startSite, turns } from './support.js';
import { TellingStore } from './telling-store.js';

afterEach(closeAll);

const HOUR = 3_600_000;
const ENDED = [1008, 'session ended'];

/** A site whose user is logged in and has one socket, and whose sockets are looked up once an hour unless said otherwise. */
async function connected({ sockets, ...how }: SiteOptions = {}) {
  const site = await startSite({ ...how, sockets: { checkInterval: HOUR, ...sockets } });
  await site.inRequest((req) => Object.assign(req.session, { user: 'ada' }));
  const client = await site.open();
  return { site, client, req: site.opened[0]!.req };
}

describe('within the process, sockets are closed at once', () => {
  test.each<[string, (req: any) => unknown]>([
    ['destroy()', (req) => req.session.destroy()],
    ['clear()', (req) => req.session.clear()],
    ['req.session = null', (req) => Object.assign(req, { session: null })],
  ])('by %s in a request, all of them', async (_, act) => {
    const { site, client } = await connected();
    const second = await site.open();
    await site.inRequest((req) => void act(req));

    expect(await client.closed).toEqual(ENDED);
    expect(await second.closed).toEqual(ENDED);
    expect(site.store.records.size).toBe(0);
  });

  test.each<[string, (session: any) => unknown]>([
    ['destroy()', (session) => session.destroy()],
    ['clear()', (session) => session.clear()],
  ])('by %s in a handler of one of them', async (_, act) => {
    const { site, client, req } = await connected();
    const second = await site.open();
    act(req.session);

    expect(await client.closed).toEqual(ENDED);
    expect(await second.closed).toEqual(ENDED);
    expect(site.store.records.size).toBe(0);
  });

  test.each([0, HOUR])(
    'by revoke(user), but that of the session that is kept; rotateAfter: %i',
    async (rotateAfter) => {
      const store = new CountingStore() as CountingStore & { ids(): AsyncIterable<string> };
      store.ids = async function* () {
        yield* store.records.keys();
      };
      const { site, client } = await connected({ store, options: { owner: 'user', rotateAfter } });
      expect(await site.sessions.revoke('ada', { except: site.opened[0]!.req.sessionID })).toBe(0);
      await turns();
      expect(client.socket.readyState).toBe(client.socket.OPEN);
      expect(await site.sessions.revoke('ada')).toBe(1);

      expect(await client.closed).toEqual([1008, 'session revoked']);
    },
  );

  test('one that can not be closed keeps no other open, and is reported', async () => {
    const { site, client } = await connected();
    const second = await site.open();
    const told: unknown[] = [];
    site.sessions.on('error', ({ error }) => told.push(error));
    const failure = new Error('it can not be closed');
    site.opened[0]!.client.close = () => {
      throw failure;
    };
    const { status } = await site.inRequest((req) => req.session.destroy());

    expect(status).toBe(200);
    expect(await second.closed).toEqual(ENDED);
    expect(client.socket.readyState).toBe(client.socket.OPEN);
    expect(new Set(told)).toEqual(new Set([failure]));
  });

  test('other sessions keep theirs', async () => {
    const { site, client } = await connected();
    const cookie = site.cookie();
    const stranger = await site.open({ cookie: '' });
    await site.inRequest((req) => void req.session.destroy());
    await client.closed;
    await turns();

    expect(cookie).not.toBe('');
    expect(stranger.socket.readyState).toBe(stranger.socket.OPEN);
  });

  test('a message that comes while the client takes its time to close is heard by nobody', async () => {
    const { site, client } = await connected();
    const serverSide = site.opened[0]!.client;
    const heard: string[] = [];
    serverSide.on('message', (data) => heard.push(String(data)));
    client.socket.pause(); // the client doesn't read the server's wish to close
    await site.inRequest((req) => void req.session.destroy());
    client.socket.send('still here');
    client.socket.resume();
    await once(serverSide, 'close');

    expect(heard).toEqual([]);
  });
});

describe('when time is over', () => {
  test('the absolute timeout closes the socket, however busy', async () => {
    const { client } = await connected({ options: { absoluteTimeout: 300 } });
    const start = performance.now();

    expect(await client.closed).toEqual(ENDED);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  test('the idle timeout closes a silent socket', async () => {
    const { site, client } = await connected({ options: { ttl: 300 } });

    expect(await client.closed).toEqual(ENDED);
    expect(site.store.data()).toEqual([{ user: 'ada' }]); // the store doesn't sweep; what it holds has expired
  });

  test('one that other requests keep alive stays open', async () => {
    const { site, client } = await connected({ options: { ttl: 500 } });
    const end = performance.now() + 1200;
    while (performance.now() < end) await site.inRequest(() => {});

    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });

  test('a request that finds the session too old closes its sockets', async () => {
    const { site, client } = await connected({ options: { absoluteTimeout: HOUR } });
    const [[id, record]] = [...site.store.records] as [[string, { text: string; expires: number }]];
    const old = JSON.parse(record.text);
    old.cookie.createdAt -= HOUR;
    site.store.records.set(id, { ...record, text: JSON.stringify(old) });
    await site.inRequest(() => {});

    expect(await client.closed).toEqual(ENDED);
  });
});

describe('regenerate()', () => {
  const login = async (req: any) => {
    await req.session.regenerate();
    req.session.user = 'bob';
  };

  test.each(['merge', 'overwrite'] as const)('sockets follow to the new id (%s)', async (concurrency) => {
    const { site, client, req } = await connected({ options: { concurrency } });
    const before = req.sessionID;
    await site.inRequest(login);
    const [id] = [...site.store.records.keys()];
    expect(id).not.toBe(before);
    expect([req.sessionID, req.session.id]).toEqual([id, id]);
    await req.session.reload();
    expect(req.session.user).toBe('bob');
    await site.inRequest((request) => void request.session.destroy());

    expect(await client.closed).toEqual(ENDED);
  });

  test("with express-session's kind of store, too", async () => {
    const { RecordingStore } = await import('./recording-store.js');
    const store = new RecordingStore();
    const { site, client, req } = await connected({ options: { store, concurrency: 'overwrite' } });
    await site.inRequest(login);
    expect([...store.records.keys()]).toEqual([req.sessionID]);
    await site.inRequest((request) => void request.session.destroy());

    expect(await client.closed).toEqual(ENDED);
  });

  describe('with keep, in a store that tells of the record that goes', () => {
    /** `beforeItGoes` runs when the former record is to go in exchange for the new one. */
    class Exchanging extends TellingStore {
      beforeItGoes = (_id: string): void => {};

      override async set(id: string, text: string, how: session.SetOptions): Promise<boolean> {
        if (how.expires > 0) return super.set(id, text, how);
        this.beforeItGoes(id);
        const gone = await super.set(id, text, how);
        for (const listener of this.listeners) listener(id);
        await turns(); // all have looked
        return gone;
      }
    }

    const keepAll = async (request: any) => {
      await request.session.regenerate({ keep: true });
      await request.session.save();
    };

    test('they have followed before it does', async () => {
      const { site, client, req } = await connected({ store: new Exchanging() });
      const before = req.sessionID;
      await site.inRequest(keepAll);
      await turns();

      expect(req.sessionID).not.toBe(before);
      expect(site.cookie()).toContain(req.sessionID);
      expect(client.socket.readyState).toBe(client.socket.OPEN);
    });

    test('they are closed if the session has been ended meanwhile', async () => {
      const store = new Exchanging();
      const { site, client } = await connected({ store });
      store.beforeItGoes = (id) => void store.records.delete(id);
      await site.inRequest(keepAll);

      expect(await client.closed).toEqual(ENDED);
    });
  });

  test("or are closed, with onRegenerate: 'close'", async () => {
    const { site, client } = await connected({ sockets: { onRegenerate: 'close' } });
    await site.inRequest(login);

    expect(await client.closed).toEqual([1008, 'session renewed']);
    expect(site.store.data()).toEqual([{ user: 'bob' }]);
  });

  test('in another process: they are closed, since nothing leads from the old id to the new one', async () => {
    const { site, client } = await connected({ sockets: { checkInterval: 20 } });
    const other = await startSite({ store: site.store });
    const { cookie } = site;
    const answer = await other.inRequest(login, cookie());
    expect(answer.status).toBe(200);
    expect(site.store.data()).toEqual([{ user: 'bob' }]);

    expect(await client.closed).toEqual(ENDED);
  });
});

describe('rotation', () => {
  const options = { rotateAfter: 10, rotateGrace: HOUR };

  test('sockets follow to the new id at once', async () => {
    const { site, req, client } = await connected({ options });
    const before = req.sessionID;
    await eventually(async () => {
      await site.inRequest(() => {});
      return req.sessionID === before ? undefined : true;
    });
    await req.session.update((data: any) => Object.assign(data, { moves: 1 }));
    const record = site.store.records.get(req.sessionID)!;
    expect(JSON.parse(record.text)).toMatchObject({ user: 'ada', moves: 1 });
    await site.inRequest((request) => void request.session.destroy());

    expect(await client.closed).toEqual(ENDED);
  });

  test('of another process: sockets follow at the next check', async () => {
    const notYet = { ...options, rotateAfter: HOUR }; // the handshake is to leave the id as it is
    const { site, req, client } = await connected({ options: notYet, sockets: { checkInterval: 20 } });
    const before = req.sessionID;
    const other = await startSite({ store: site.store, options });
    await eventually(async () => {
      const { setCookie } = await other.inRequest(() => {}, site.cookie());
      return setCookie[0];
    });
    await eventually(() => (req.sessionID === before ? undefined : true));
    expect(client.socket.readyState).toBe(client.socket.OPEN);
    await req.session.reload();

    expect(req.session.user).toBe('ada');
  });

  test('an old id whose use revokes the session closes its sockets', async () => {
    const { site, client } = await connected({
      options: { rotateAfter: 10, rotateGrace: 1, onReuse: 'revoke' },
    });
    const stolen = site.cookie();
    await eventually(async () => {
      await site.inRequest(() => {});
      await site.inRequest(() => {}, stolen);
      return client.socket.readyState === client.socket.OPEN ? undefined : true;
    });

    expect(await client.closed).toEqual(ENDED);
  });
});

describe('what other processes do is seen within checkInterval', () => {
  test('a session that is gone closes its sockets', async () => {
    const { site, client } = await connected({ sockets: { checkInterval: 20 } });
    site.store.records.clear();

    expect(await client.closed).toEqual(ENDED);
  });

  test('a store that fails or hangs says nothing: the sockets stay, and are looked up again', async () => {
    const { site, client } = await connected({
      sockets: { checkInterval: 10 },
      options: { storeTimeout: 20 },
    });
    site.sessions.on('error', () => {});
    site.store.failure = new Error('down');
    const failing = site.store.count('get');
    await eventually(() => (site.store.count('get') > failing + 2 ? true : undefined));
    site.store.failure = undefined;
    site.store.hangs = true;
    const hanging = site.store.count('get');
    await eventually(() => (site.store.count('get') > hanging + 2 ? true : undefined));
    expect(client.socket.readyState).toBe(client.socket.OPEN);
    site.store.hangs = false;
    site.store.records.clear();

    expect(await client.closed).toEqual(ENDED);
  });

  test('a session that nobody has put anything in is not looked up', async () => {
    const site = await startSite({ sockets: { checkInterval: 10 } });
    const client = await site.open();
    await new Promise((resolve) => setTimeout(resolve, 100));

    expect(site.store.calls).toEqual([]);
    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });
});
