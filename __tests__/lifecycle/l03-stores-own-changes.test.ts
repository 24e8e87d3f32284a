import express from 'express';
import request from 'supertest';
import session from '../../lib/index.js';

/** As session-file-store does, it notes in the session itself when it was last used. */
class NotingStore extends session.MemoryStore {
  sets = 0;

  override set(id: string, data: any, ...rest: any[]): any {
    this.sets++;
    data.__lastAccess = this.sets;
    return (super.set as any)(id, data, ...rest);
  }
}

test("L3: what a store writes to the session is not taken for a late change of the app's", async () => {
  const store = new NotingStore();
  const app = express();
  const over: Promise<void>[] = [];
  app.use((_req, res, next) => {
    over.push(new Promise((resolve) => res.once('close', () => setImmediate(() => setImmediate(resolve)))));
    next();
  });
  app.use(session({ secret: 'keyboard cat', resave: false, saveUninitialized: false, store }));
  app.get('/', (req: any, res) => {
    req.session.n = 1;
    res.end();
  });

  await request(app).get('/');
  await Promise.all(over);

  expect(store.sets).toBe(1);
  store.close();
});
