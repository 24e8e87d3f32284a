import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import session from '../../lib/index.js';
import { sign } from '../support/sign.js';

const SECRET = 'keyboard cat';
const HOUR = 3_600_000;
const ID = 'the-id-of-a-session';
const genuine = `connect.sid=${encodeURIComponent(`s:${sign(ID, SECRET)}`)}`;

/** A callback store that gives whatever text it holds to JSON.parse, as most do. */
class CallbackStore extends session.Store {
  readonly texts = new Map<string, string>();
  get(id: string, callback: (error?: any, data?: any) => void): void {
    let data: unknown;
    try {
      const text = this.texts.get(id);
      data = text === undefined ? undefined : JSON.parse(text);
    } catch (error) {
      return void setImmediate(callback, error);
    }
    setImmediate(callback, null, data);
  }
  set(id: string, data: object, callback: () => void): void {
    this.texts.set(id, JSON.stringify(data));
    setImmediate(callback);
  }
  override touch(_id: string, _data: object, callback: () => void): void {
    setImmediate(callback);
  }
  destroy(id: string, callback: () => void): void {
    this.texts.delete(id);
    setImmediate(callback);
  }
}

/** A store of text in a Map. */
class TextStore implements session.SessionStore {
  readonly texts = new Map<string, string>();
  async get(id: string) {
    return this.texts.get(id);
  }
  async set(id: string, text: string, { expected }: session.SetOptions) {
    if (expected !== undefined && (this.texts.get(id) ?? null) !== expected) return false;
    this.texts.set(id, text);
    return true;
  }
  async touch(id: string) {
    return this.texts.has(id);
  }
  async destroy(id: string) {
    this.texts.delete(id);
  }
}

interface Subject {
  store: session.SessionStore | session.Store;
  put(text: string): Promise<unknown>;
}

const subjects: [string, () => Subject][] = [
  [
    'MemoryStore',
    () => {
      const store = new session.MemoryStore();
      return { store, put: (text) => store.set(ID, text, { expires: Date.now() + HOUR }) };
    },
  ],
  [
    'SessionStore',
    () => {
      const store = new TextStore();
      return { store, put: (text) => store.set(ID, text, { expires: Date.now() + HOUR }) };
    },
  ],
  [
    'callback store',
    () => {
      const store = new CallbackStore();
      return { store, put: async (text) => store.texts.set(ID, text) };
    },
  ],
];

const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(
    servers.splice(0).map(async (server) => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    }),
  );
});

/** An app that reads and changes its session. Its server takes long headers. */
async function serve(store: Subject['store'], options: session.SessionOptions = {}): Promise<number> {
  const sessions = session({
    secret: [SECRET, 'older'],
    resave: false,
    saveUninitialized: false,
    store,
    ...options,
  });
  sessions.on('error', () => {}); // no warning for each record
  const server = createServer({ maxHeaderSize: 1_000_000 }, (req, res) => {
    sessions(req, res, (error) => {
      if (error) {
        res.statusCode = 500;
        res.end(JSON.stringify({ error: error.message }));
        return;
      }
      const { session: mine } = req as any;
      const { user } = mine;
      mine.visited = true;
      res.end(JSON.stringify({ user, polluted: mine.polluted, id: mine.id }));
    });
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

interface Answer {
  status: number;
  body: any;
}

/** Sends a Cookie header byte by byte as it is given (latin1). */
async function send(port: number, cookies: readonly string[]): Promise<Answer> {
  const socket = connect(port, '127.0.0.1');
  socket.setEncoding('utf8');
  const lines = cookies.map((cookie) => `Cookie: ${cookie}\r\n`).join('');
  socket.write(`GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${lines}\r\n`, 'latin1');
  let text = '';
  for await (const chunk of socket) text += chunk;
  const [head = '', ...rest] = text.split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), body: JSON.parse(rest.join('\r\n\r\n')) };
}

const signature = genuine.slice(genuine.lastIndexOf('.') + 1);
const headers: [string, string[]][] = [
  ['none', []],
  ['an empty one', ['']],
  ['blanks and semicolons', [' ; ;; \t;']],
  ['a name without a value', ['connect.sid']],
  ['an empty value', ['connect.sid=']],
  ['a value of 64 KB', [`connect.sid=s%3A${'x'.repeat(65_536)}`]],
  ['64 KB of equals signs', [`connect.sid${'='.repeat(65_536)}`]],
  ['64 KB of blanks', [`connect.sid${' '.repeat(65_536)}=x`]],
  ['64 KB of percent signs', [`connect.sid=s%3A${'%'.repeat(65_536)}`]],
  ['64 KB of dots', [`connect.sid=s%3A${'.'.repeat(65_536)}`]],
  ['64 KB of quotes', [`connect.sid=${'"'.repeat(65_536)}`]],
  ['our name 6000 times', ['connect.sid'.repeat(6000)]],
  ['thousands of others', [Array.from({ length: 5000 }, (_, n) => `c${n}=${n}`).join('; ')]],
  [
    'thousands of ours, forged',
    [Array.from({ length: 2000 }, (_, n) => `connect.sid=s%3A${n}.${signature}`).join('; ')],
  ],
  ['two header lines, both forged', ['connect.sid=s%3Aa.b', 'connect.sid=s%3Aa.b']],
  ['bytes beyond ASCII', [`connect.sid=s%3A\xff\xfe\x80.${signature}`, 'caf\xe9=\xe9']],
  ['UTF-8 in percent escapes', [`connect.sid=s%3A%E2%82%AC.${signature}`]],
  ['broken percent escapes', ['connect.sid=%', 'connect.sid=%E2%82', 'connect.sid=s%3A%ZZ.%']],
  ['a NUL in percent escapes', [`connect.sid=s%3A%00.${signature}`]],
  ['no signature', [`connect.sid=${ID}`, `connect.sid=s%3A${ID}`]],
  ['an empty signature', [`connect.sid=s%3A${ID}.`]],
  ['a signature that is cut', [genuine.slice(0, -1), genuine.slice(0, -4)]],
  ['a signature that is longer', [`${genuine}A`]],
  ['a signature of another id', [`connect.sid=s%3Aother.${signature}`]],
  ['another secret', [`connect.sid=${encodeURIComponent(`s:${sign(ID, 'not ours')}`)}`]],
  ['JSON as cookie-parser has it', ['connect.sid=j%3A%7B%22__proto__%22%3A%7B%22polluted%22%3A1%7D%7D']],
  ['names of prototypes', ['__proto__=1; constructor=2; connect.sid.__proto__=3; hasOwnProperty=4']],
];

describe.each(subjects)('%s', (_, make) => {
  describe('a Cookie header with', () => {
    test.each(headers)('%s gives a fresh session', async (_name, cookies) => {
      const subject = make();
      await subject.put('{"cookie":{"originalMaxAge":null},"user":"ada"}');
      const port = await serve(subject.store);
      const { status, body } = await send(port, cookies);
      expect([status, body.user, Object.keys(Object.prototype)]).toEqual([200, undefined, []]);
      expect(body.id).toMatch(/^[\w-]{32}$/);
    });

    test.each([
      ['a forged one before the genuine one', [`connect.sid=s%3Aa.b; ${genuine}`]],
      ['the genuine one twice', [`${genuine}; ${genuine}`]],
      ['quotes around it', [`connect.sid="${genuine.slice('connect.sid='.length)}"`]],
      ['garbage around it', [`=; ;connect.sid;\t${genuine} \t; %; x=%ZZ`]],
    ])('%s finds the session', async (_name, cookies) => {
      const subject = make();
      await subject.put('{"cookie":{"originalMaxAge":null},"user":"ada"}');
      const port = await serve(subject.store);
      expect((await send(port, cookies)).body.user).toBe('ada');
    });
  });

  describe('a stored record that', () => {
    const unusable: [string, string][] = [
      ['is empty', ''],
      ['is no JSON', '{"cookie":{'],
      ['is null', 'null'],
      ['is a number', '7'],
      ['is a string', '"cookie"'],
      ['is a list', '[{"cookie":{}}]'],
      ['has no cookie', '{"user":"ada"}'],
      ['has null for a cookie', '{"cookie":null,"user":"ada"}'],
      ['has a string for a cookie', '{"cookie":"x","user":"ada"}'],
      ['has a list for a cookie', '{"cookie":[],"user":"ada"}'],
    ];
    // What a callback store gives is taken as it is, as express-session does: an object without a cookie is an error.
    test.each(unusable)('%s gives a fresh session or a clear error', async (_name, text) => {
      const subject = make();
      await subject.put(text);
      const port = await serve(subject.store);
      const { status, body } = await send(port, [genuine]);
      const isCallback = subject.store instanceof CallbackStore;
      if (isCallback && status === 500)
        expect(body.error).toMatch(/JSON|cookie|expires|argument options must be a object/i);
      else if (isCallback && text.includes('[]')) expect(body.user).toBe('ada');
      else expect([status, body]).toEqual([200, { id: expect.stringMatching(/^[\w-]{32}$/) }]);
    });

    const hostile: [string, string][] = [
      ['has __proto__ among its keys', '{"cookie":{},"__proto__":{"polluted":1},"user":"ada"}'],
      [
        'has constructor among its keys',
        '{"cookie":{},"constructor":{"prototype":{"polluted":1}},"user":"ada"}',
      ],
      ['has __proto__ in its cookie', '{"cookie":{"__proto__":{"polluted":1,"path":"/x"}},"user":"ada"}'],
      [
        'has constructor in its cookie',
        '{"cookie":{"constructor":{"prototype":{"polluted":1}}},"user":"ada"}',
      ],
      [
        'has the names of our methods',
        '{"cookie":{"serialize":1,"toJSON":2,"data":3},"save":1,"touch":2,"req":3,"id":4,"reload":5,"user":"ada"}',
      ],
      [
        'has a nesting of 1000 lists',
        `{"cookie":{},"deep":${'['.repeat(1000)}${']'.repeat(1000)},"user":"ada"}`,
      ],
      ['has a key twice', '{"cookie":{},"cookie":{},"user":"eve","user":"ada"}'],
    ];
    test.each(hostile)('%s pollutes nothing', async (_name, text) => {
      const subject = make();
      await subject.put(text);
      const port = await serve(subject.store);
      const { status, body } = await send(port, [genuine]);
      expect([status, body]).toEqual([200, { user: 'ada', id: ID }]);
      expect([({} as any).polluted, Object.keys(Object.prototype)]).toEqual([undefined, []]);
      expect((await send(port, [genuine])).body).toEqual({ user: 'ada', id: ID });
    });

    test.each([
      ['an expires that is no date', '{"cookie":{"expires":"no date","originalMaxAge":1000},"user":"ada"}'],
      ['an originalMaxAge that is text', '{"cookie":{"originalMaxAge":"long"},"user":"ada"}'],
      ['a maxAge that is an object', '{"cookie":{"maxAge":{}},"user":"ada"}'],
      [
        'a path that breaks out of the header',
        '{"cookie":{"path":"/\\r\\nX: y","originalMaxAge":null},"user":"ada"}',
      ],
      [
        'a domain that breaks out of the header',
        '{"cookie":{"domain":"a; Path=/","originalMaxAge":null},"user":"ada"}',
      ],
      ['a sameSite of its own', '{"cookie":{"sameSite":"sometimes","originalMaxAge":null},"user":"ada"}'],
      [
        'times that are no times',
        '{"cookie":{"createdAt":"x","touchedAt":{},"rotatedAt":[],"movedTo":7,"movedAt":"x"},"user":"ada"}',
      ],
    ])('has a cookie with %s ends in an answer, a session or a clear error', async (_name, text) => {
      for (const options of [{}, { rolling: true, absoluteTimeout: HOUR, touchAfter: 1000 }]) {
        const subject = make();
        await subject.put(text);
        const port = await serve(subject.store, options);
        const { status, body } = await send(port, [genuine]);
        expect([200, 500]).toContain(status);
        if (status === 200) expect(body.id).toMatch(/^[\w-]+$/);
        else expect(body.error).toMatch(/maxAge|expires|path|domain|sameSite/i);
        expect((await send(port, [])).status).toBe(200);
      }
    });
  });
});
