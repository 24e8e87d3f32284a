import assert from 'node:assert/strict';
import { address, Visitor } from './visitor.mjs';

process.env.OLD_COOKIE_KEY = 'a key of the old app';

// <from-cookie-session>

// What cookie-session 2.1.1 sends with that key for { userId: 7, cart: ['tee "ü"'] }.
const genuine = [
  ['session', 'eyJ1c2VySWQiOjcsImNhcnQiOlsidGVlIFwiw7xcIiJdfQ=='],
  ['session.sig', 'wx6ADWvOqDG32WpDEp89ddb3DU4'],
];
const visitor = new Visitor(await address());
visitor.cookies = new Map(genuine);
assert.equal(await visitor.json('/'), 7);
assert.deepEqual([...visitor.cookies.keys()], ['connect.sid']);
assert.equal(await visitor.json('/'), 7);

const forger = new Visitor(await address());
forger.cookies = new Map([['session', Buffer.from('{"userId":1}').toString('base64')], genuine[1]]);
assert.equal(await forger.json('/'), null);
