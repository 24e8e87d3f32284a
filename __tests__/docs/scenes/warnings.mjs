import assert from 'node:assert/strict';
import { once } from 'node:events';
import session from 'steady-session';

process.removeAllListeners('warning'); // this example is about one
const printed = [];
console.log = (...words) => printed.push(words);

// <warnings>

session({ ...session.recommended, secret: process.env.SESSION_SECRET, saveunitialized: false });
await once(process, 'warning');
assert.equal(printed.length, 1);
assert.equal(printed[0][0], 'WARN_SESSION_UNKNOWN_OPTION');
assert.match(printed[0][1], /^unknown option saveunitialized is ignored; did you mean saveUninitialized\?/);
