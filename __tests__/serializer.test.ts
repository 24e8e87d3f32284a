import express from 'express';
import request from 'supertest';
import { fromMap } from '../lib/adapters/map.js';
import { conformance } from '../lib/conformance/index.js';
import session from '../lib/index.js';
import { serialized } from '../lib/stores/serialized.js';

const SECRET = 'a secret of more than thirty-two bytes';

/** Texts that are no JSON, and of which no two for the same data are the same. */
function hexSerializer(): session.Serializer {
  let count = 0;
  return {
    stringify: (record) => `${count++}:${Buffer.from(JSON.stringify(record)).toString('hex')}`,
    parse: (text) => JSON.parse(Buffer.from(text.split(':')[1] ?? '', 'hex').toString()),
  };
}

describe('with a serializer, a store keeps the contract', () => {
  conformance({ test, store: () => serialized(fromMap(new Map()), hexSerializer()), values: 'session' });
});

describe('the option serializer', () => {
  function appOver(map: Map<string, unknown>, serializer: session.Serializer) {
    const app = express();
    app.use(session({ ...session.recommended, secret: SECRET, store: fromMap(map as never), serializer }));
    app.get('/', (req, res) => {
      const data = req.session as unknown as { views?: number };
      data.views = (data.views ?? 0) + 1;
      res.send(`${data.views}`);
    });
    return request.agent(app);
  }

  test('makes the texts that are stored, and reads them', async () => {
    const map = new Map<string, unknown>();
    const agent = appOver(map, hexSerializer());
    const answers = [await agent.get('/'), await agent.get('/'), await agent.get('/')];
    expect(answers.map(({ text }) => text)).toEqual(['1', '2', '3']);
    expect(map.size).toBe(1);
    const hex = Buffer.from('"views":3').toString('hex');
    expect(JSON.stringify([...map.values()])).toContain(hex);
  });

  test('a text that it cannot read is no session', async () => {
    const map = new Map<string, unknown>();
    const working = hexSerializer();
    let broken = false;
    const parse = (text: string) => (broken ? JSON.parse('{') : working.parse(text));
    const agent = appOver(map, { ...working, parse });
    await agent.get('/');
    broken = true;
    expect((await agent.get('/')).text).toBe('1');
  });

  test('must have both functions, and a store that it can serve', () => {
    const serializer = hexSerializer();
    expect(() =>
      session({
        ...session.recommended,
        secret: SECRET,
        serializer: { parse: JSON.parse } as never,
        store: fromMap(new Map()),
      }),
    ).toThrow(
      'serializer option must be an object with the functions stringify and parse; got an object (Object)',
    );
    expect(() => session({ ...session.recommended, secret: SECRET, serializer })).toThrow(
      'serializer option must be left out with MemoryStore and stores made for express-session, which have their own',
    );
  });
});
