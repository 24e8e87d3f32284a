import { setImmediate as turn } from 'node:timers/promises';
import express from 'express';
import request from 'supertest';
import session from '../../lib/index.js';

/** Compares, lets others have their turn, and then writes, as a back end without conditional writes must. */
class TwoStepStore implements session.SessionStore {
  readonly atomic = false;
  readonly #records = new Map<string, string>();

  async get(id: string): Promise<string | undefined> {
    await turn();
    return this.#records.get(id);
  }

  async set(id: string, value: string, { expected }: session.SetOptions): Promise<boolean> {
    const now = this.#records.get(id) ?? null;
    if (expected !== undefined && now !== expected) return false;
    await turn();
    await turn();
    this.#records.set(id, value);
    return true;
  }

  async touch(id: string): Promise<boolean> {
    await turn();
    return this.#records.has(id);
  }

  async destroy(id: string): Promise<void> {
    this.#records.delete(id);
  }
}

test('a store that says `atomic: false` loses no change of parallel requests in one process', async () => {
  const app = express();
  app.use(
    session({
      ...session.recommended,
      secret: 'a secret of more than thirty-two bytes',
      store: new TwoStepStore(),
    }),
  );
  app.get('/set/:key', (req, res) => {
    Object.assign(req.session, { [req.params.key]: true });
    res.end();
  });
  app.get('/all', (req, res) => {
    const { cookie: _, ...data } = req.session;
    res.json(data);
  });
  const server = app.listen();
  const agent = request.agent(server);
  await agent.get('/set/begun');

  await Promise.all(['a', 'b', 'c', 'd'].map((key) => agent.get(`/set/${key}`)));

  const { body } = await agent.get('/all');
  server.close();
  expect(body).toEqual({ begun: true, a: true, b: true, c: true, d: true });
});
