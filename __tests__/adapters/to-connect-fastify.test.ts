import { runProgram } from '../conformance/run-program.js';

// In a process of its own, since @fastify/cookie loads ES modules, which Jest can't.
test('under @fastify/session a session is stored, read, regenerated and destroyed', async () => {
  const output = await runProgram({
    source: `
      const fastify = require('fastify');
      const { fromMap } = require('./lib/adapters/map.js');
      const { toConnectStore } = require('./lib/adapters/to-connect.js');

      const map = new Map();
      const app = fastify();
      app.register(require('@fastify/cookie'));
      app.register(require('@fastify/session'), {
        secret: 'a secret of more than thirty-two characters',
        cookie: { secure: false, maxAge: 3600000 },
        saveUninitialized: false,
        store: toConnectStore(fromMap(map)),
      });
      app.get('/', async (req) => ({ views: (req.session.views = (req.session.views ?? 0) + 1) }));
      app.get('/renew', async (req) => {
        await req.session.regenerate(['views']);
        return { views: req.session.views };
      });
      app.get('/out', async (req) => {
        await req.session.destroy();
        return {};
      });

      async function main() {
        const address = await app.listen();
        let cookie = '';
        for (const path of ['/', '/', '/renew', '/', '/out', '/']) {
          const before = Date.now();
          const response = await fetch(address + path, { headers: { cookie } });
          const [set] = response.headers.getSetCookie();
          if (set) cookie = set.split(';')[0];
          const { views } = await response.json();
          const stored = [...map.values()].map(({ text, expires }) => [
            JSON.parse(text).views,
            expires >= before + 3600000 && expires <= Date.now() + 3600000,
          ]);
          console.log(path, views, JSON.stringify(stored));
        }
        await app.close();
      }
      main();`,
  });

  expect(output.trim().split('\n')).toEqual([
    '/ 1 [[1,true]]',
    '/ 2 [[2,true]]',
    '/renew 2 [[2,true]]',
    '/ 3 [[3,true]]',
    '/out undefined []',
    '/ 1 [[1,true]]',
  ]);
});
