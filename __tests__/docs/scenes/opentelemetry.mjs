import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { trace as api } from '@opentelemetry/api';
import session from 'steady-session';
import { address, Visitor } from './visitor.mjs';

/** What a tracer of the SDK would send. */
const sent = [];
api.setGlobalTracerProvider({
  getTracer: () => ({
    startSpan(name, { attributes }) {
      const span = { name, attributes };
      return {
        setStatus: ({ code, message }) => Object.assign(span, { code, message }),
        end: () => sent.push(span),
      };
    },
  }),
});

// <opentelemetry>

const store = new session.MemoryStore();
const sessions = session({ ...session.recommended, secret: process.env.SESSION_SECRET, store });
createServer((req, res) =>
  sessions(req, res, (error) => {
    if (error) res.statusCode = 500;
    else req.session.views = (req.session.views ?? 0) + 1;
    res.end();
  }),
).listen(3000);

const visitor = new Visitor(await address());
await visitor.get('/');
store.get = (_id, callback) => callback(new Error('away'));
await visitor.get('/');

assert.deepEqual(
  sent.map(({ name }) => name),
  ['session save', 'session load'],
);
assert.match(sent[0].attributes['session.hash'], /^[0-9a-f]{12}$/);
assert.deepEqual([sent[1].code, sent[1].message], [2, 'Error: away']);
