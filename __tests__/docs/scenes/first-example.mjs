import assert from 'node:assert/strict';
import { address, Visitor } from './visitor.mjs';

// <first-example>

const visitor = new Visitor(await address());
const first = await visitor.get('/');
assert.match(first.headers.get('set-cookie'), /^connect\.sid=[^;]+; Path=\/; HttpOnly; SameSite=Lax$/);
assert.equal(await first.text(), 'You have been here 1 times.');
assert.equal(await visitor.text('/'), 'You have been here 2 times.');
assert.equal(await new Visitor(await address()).text('/'), 'You have been here 1 times.');
