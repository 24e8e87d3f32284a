import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInThisContext } from 'node:vm';
import { expectProperties } from '../lib/many-properties.js';

const request = () => new IncomingMessage(new Socket());
const response = () => new ServerResponse(request());

/** As Express does it. */
function withOtherPrototype<T extends object>(message: T): T {
  return Object.setPrototypeOf(message, Object.create(Object.getPrototypeOf(message)));
}

/** All that can be seen of an object's own properties, but for their order. */
function properties(object: object): Map<PropertyKey, PropertyDescriptor | undefined> {
  const keys = Reflect.ownKeys(object).sort((a, b) => String(a).localeCompare(String(b)));
  return new Map(keys.map((key) => [key, Object.getOwnPropertyDescriptor(object, key)]));
}

test.each([
  ['request', request],
  ['response', response],
])('a %s has the properties that it had', (_, make) => {
  for (const message of [make(), withOtherPrototype(make())] as IncomingMessage[]) {
    const before = properties(message);
    expectProperties(message);
    expect(properties(message)).toEqual(before);
  }
});

test('a response that is to be sent without a Date is sent so', () => {
  const res = withOtherPrototype(response());
  res.sendDate = false;
  expectProperties(res);
  expect(res.sendDate).toBe(false);
});

test.each<[string, PropertyDescriptor]>([
  ['an accessor', { get: () => true, set() {}, configurable: true, enumerable: true }],
  ['read-only', { value: true, writable: false, configurable: true }],
  ['fixed', { value: true, writable: true, configurable: false }],
])('a property that the app has made %s stays so', (_, descriptor) => {
  const res = withOtherPrototype(response());
  Object.defineProperty(res, 'sendDate', descriptor);
  const before = Object.getOwnPropertyDescriptor(res, 'sendDate');
  expectProperties(res);
  expect(Object.getOwnPropertyDescriptor(res, 'sendDate')).toEqual(before);
});

test('only what has got another prototype is touched, not one of a subclass', () => {
  class OwnResponse extends ServerResponse {}
  const own = new OwnResponse(request());
  const plain = response();
  for (const res of [own, plain]) {
    const keys = Object.keys(res);
    expectProperties(res);
    expect(Object.keys(res)).toEqual(keys);
  }
});

// Only V8 itself can show it.
test.each([
  ['requests', request],
  ['responses', response],
])('after it, %s that are given a property are of one kind', (_, make) => {
  setFlagsFromString('--allow-natives-syntax');
  const areOfOneKind = runInThisContext('(a, b) => %HaveSameMap(a, b)') as (a: object, b: object) => boolean;
  const messages = [make(), make()];
  const other = Object.create(Object.getPrototypeOf(messages[0]!));
  for (const message of messages) {
    Object.setPrototypeOf(message, other);
    expectProperties(message);
    Object.assign(message, { added: 1 });
  }
  expect(areOfOneKind(messages[0]!, messages[1]!)).toBe(true);
});
