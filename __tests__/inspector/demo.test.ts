import request from 'supertest';
import { createApp } from '../../examples/demo/app.js';
import session from '../../lib/index.js';
import { type InspectorHandler, inspector } from '../../lib/inspector/index.js';
import { SECRET } from './support.js';

test('the demo has an inspector, for whoever sits at this machine', async () => {
  let inspect: InspectorHandler | undefined;
  const kept: typeof inspector = (...args) => {
    inspect = inspector(...args);
    return inspect;
  };
  const app = createApp({ session, secret: SECRET, inspector: kept });
  const ask = (host: string) => request(app).get('/inspector').set('Host', host);
  const answers = [await ask('localhost:3000'), await ask('127.0.0.1'), await ask('evil.example')];
  const other = await request(app).get('/inspector/other').set('Host', 'localhost');
  inspect!.close();

  expect(answers.map(({ status }) => status)).toEqual([200, 200, 403]);
  expect(answers[0]!.headers['content-security-policy']).toContain("default-src 'none'; script-src 'sha256-");
  expect(other.status).toBe(404);
});

test('the demo has none where it is not given one', async () => {
  const response = await request(createApp({ session, secret: SECRET })).get('/inspector');

  expect(response.status).toBe(404);
});
