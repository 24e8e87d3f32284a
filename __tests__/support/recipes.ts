import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { runInNewContext } from 'node:vm';
import type { Recipe } from './comparison.js';
import { turn } from './http.js';

/** All ways to end a response in one go. */
export const ends: Record<string, Recipe> = {
  'end()': ({ res, log }) => log.attempt('end', () => res.end()),
  'end(null)': ({ res, log }) => log.attempt('end', () => res.end(null)),
  'end(undefined, undefined, callback)': ({ res, log }) =>
    log.attempt('end', () => res.end(undefined, undefined, log.callback('end'))),
  "end('')": ({ res, log }) => log.attempt('end', () => res.end('')),
  'end(callback)': ({ res, log }) => log.attempt('end', () => res.end(log.callback('end'))),
  'end(text)': ({ res, log }) => log.attempt('end', () => res.end('text')),
  'end(text, undefined)': ({ res, log }) => log.attempt('end', () => res.end('text', undefined)),
  'end(text, callback)': ({ res, log }) => log.attempt('end', () => res.end('text', log.callback('end'))),
  'end(text, encoding)': ({ res, log }) => log.attempt('end', () => res.end('text', 'utf8')),
  'end(text, encoding, callback)': ({ res, log }) =>
    log.attempt('end', () => res.end('text', 'utf8', log.callback('end'))),
  'end(text, null, callback)': ({ res, log }) =>
    log.attempt('end', () => res.end('text', null, log.callback('end'))),
  'end(text beyond ASCII)': ({ res, log }) => log.attempt('end', () => res.end('größer ☃')),
  "end(text, 'latin1')": ({ res, log }) => log.attempt('end', () => res.end('größer', 'latin1')),
  "end(text, 'hex')": ({ res, log }) => log.attempt('end', () => res.end('00ff10', 'hex')),
  "end(text, 'base64', callback)": ({ res, log }) =>
    log.attempt('end', () => res.end('aGVsbG8=', 'base64', log.callback('end'))),
  'end(Buffer)': ({ res, log }) => log.attempt('end', () => res.end(Buffer.from([0, 255, 13, 10]))),
  'end(Buffer, callback)': ({ res, log }) =>
    log.attempt('end', () => res.end(Buffer.from('text'), log.callback('end'))),
  'end(Uint8Array)': ({ res, log }) => log.attempt('end', () => res.end(new Uint8Array([1, 2, 3]))),
  'end(Uint8Array of another realm)': ({ res, log }) =>
    log.attempt('end', () => res.end(runInNewContext('new Uint8Array([1, 2, 3])'))),
  'end(empty Buffer)': ({ res, log }) => log.attempt('end', () => res.end(Buffer.alloc(0))),
  'end(a long text)': ({ res, log }) =>
    log.attempt('end', () => res.end('x'.repeat(300_000), log.callback('end'))),
  'end(text), with a _send() of the app in the place of that of Node.js': ({ res, log }) => {
    const { _send } = res;
    let calls = 0;
    res._send = function (...args: unknown[]) {
      calls++;
      return _send.apply(this, args);
    };
    res.on('finish', () => log.note('_send', calls));
    log.attempt('end', () => res.end('text'));
  },
  'end() in a later turn': async ({ res, log }) => {
    await turn();
    log.attempt('end', () => res.end('text'));
  },
};

/** Responses in several parts. */
export const writes: Record<string, Recipe> = {
  'write(text), end()': ({ res, log }) => {
    log.attempt('write', () => res.write('text'));
    log.attempt('end', () => res.end());
  },
  'write() of every kind, with callbacks, end(text, callback)': ({ res, log }) => {
    log.attempt('write 1', () => res.write('one', log.callback('write 1')));
    log.attempt('write 2', () => res.write('größer', 'latin1', log.callback('write 2')));
    log.attempt('write 3', () => res.write(Buffer.from('three'), log.callback('write 3')));
    log.attempt('write 4', () => res.write(new Uint8Array([52]), undefined, log.callback('write 4')));
    log.attempt('write 5', () => res.write('', log.callback('write 5')));
    log.attempt('write 6', () => res.write('3636', 'hex'));
    log.attempt('end', () => res.end('end', log.callback('end')));
  },
  'write(text) in several turns': async ({ res, log }) => {
    for (const part of ['one', 'two', 'three']) {
      log.attempt('write', () => res.write(part));
      await turn();
    }
    log.attempt('end', () => res.end());
  },
  'write(a long text), end() after drain': async ({ res, log }) => {
    log.attempt('write', () => res.write('x'.repeat(3_000_000)));
    await new Promise((resolve) => res.once('drain', resolve));
    log.attempt('end', () => res.end('end'));
  },
  'cork(), write(), uncork()': ({ res, log }) => {
    res.cork();
    log.attempt('write', () => res.write('one'));
    log.attempt('write', () => res.write('two'));
    res.uncork();
    log.attempt('end', () => res.end('three'));
  },
  'cork(), write(), end()': ({ res, log }) => {
    res.cork();
    log.attempt('write', () => res.write('one'));
    log.attempt('write', () => res.write('two'));
    log.attempt('end', () => res.end('three', log.callback('end')));
  },
  'flushHeaders(), end(text), uncork() once too often': ({ res, log }) => {
    res.flushHeaders();
    log.attempt('end', () => res.end('text'));
    log.attempt('uncork', () => res.uncork());
  },
  'cork(), write(), uncork() in a tick, uncork(), end(text)': ({ res, log }) => {
    res.cork();
    log.attempt('write', () => res.write('one'));
    process.nextTick(() => res.uncork());
    res.uncork();
    log.attempt('end', () => res.end('two'));
  },
  'a stream, piped': ({ res, log }) => {
    log.note('pipe', Readable.from(['one', 'two', 'three']).pipe(res) === res);
  },
  'a stream, by pipeline()': async ({ res, log }) => {
    await pipeline(Readable.from(['one', Buffer.from('two')]), res);
    log.note('pipeline', res.writableFinished);
  },
  'a long stream, piped': ({ res }) => {
    Readable.from(Array.from({ length: 50 }, (_, index) => `${index}:${'x'.repeat(20_000)}`)).pipe(res);
  },
};

/** All ways to call writeHead() and flushHeaders(). */
export const heads: Record<string, Recipe> = {
  'writeHead(status)': ({ res, log }) => {
    log.attempt('writeHead', () => res.writeHead(201));
    log.attempt('end', () => res.end('text'));
  },
  'writeHead(status, reason)': ({ res, log }) => {
    log.attempt('writeHead', () => res.writeHead(201, 'Made'));
    log.attempt('end', () => res.end('text'));
  },
  "writeHead(status as text, '')": ({ res, log }) => {
    log.attempt('writeHead', () => res.writeHead('201', ''));
    log.attempt('end', () => res.end('text'));
  },
  'writeHead(status, headers)': ({ res, log }) => {
    log.attempt('writeHead', () => res.writeHead(200, { 'X-A': '1', 'x-b': ['2', '3'], 'X-C': 4 }));
    log.attempt('end', () => res.end('text'));
  },
  'writeHead(status, reason, headers)': ({ res, log }) => {
    log.attempt('writeHead', () => res.writeHead(200, 'Fine', { 'X-A': '1' }));
    log.attempt('end', () => res.end('text', log.callback('end')));
  },
  'writeHead(status, undefined, headers)': ({ res, log }) => {
    log.attempt('writeHead', () =>
      res.writeHead(200, undefined, { 'X-A': '1', 'Set-Cookie': ['a=1', 'b=2'] }),
    );
    log.attempt('end', () => res.end('text'));
  },
  'writeHead(status, null)': ({ res, log }) => {
    log.attempt('writeHead', () => res.writeHead(200, null));
    log.attempt('end', () => res.end('text'));
  },
  'writeHead(status, empty headers)': ({ res, log }) => {
    log.attempt('writeHead', () => res.writeHead(200, {}));
    log.attempt('end', () => res.end('text'));
  },
  'writeHead(status, flat list)': ({ res, log }) => {
    log.attempt('writeHead', () => res.writeHead(200, ['X-A', '1', 'X-B', '2', 'X-A', '3']));
    log.attempt('end', () => res.end('text'));
  },
  'writeHead(status, empty list)': ({ res, log }) => {
    log.attempt('writeHead', () => res.writeHead(200, []));
    log.attempt('end', () => res.end('text'));
  },
  'writeHead(status, pairs)': ({ res, log }) => {
    const pairs = [
      ['X-A', '1'],
      ['X-B', '2'],
      ['X-A', '3'],
    ]; // prettier-ignore
    log.attempt('writeHead', () => res.writeHead(200, pairs));
    log.attempt('end', () => res.end('text'));
  },
  'writeHead() with Content-Length': ({ res, log }) => {
    log.attempt('writeHead', () => res.writeHead(200, { 'Content-Length': 4 }));
    log.attempt('end', () => res.end('text'));
  },
  'writeHead() with cookies': ({ res, log }) => {
    log.attempt('writeHead', () => res.writeHead(200, { 'set-cookie': 'a=1' }));
    log.attempt('end', () => res.end('text'));
  },
  'writeHead() with a list of cookies': ({ res, log }) => {
    log.attempt('writeHead', () => res.writeHead(200, { 'Set-Cookie': ['a=1', 'b=2'], 'X-A': '1' }));
    log.attempt('end', () => res.end('text'));
  },
  'writeHead() with cookies in a flat list': ({ res, log }) => {
    log.attempt('writeHead', () =>
      res.writeHead(200, ['X-A', '1', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-B', '2']),
    );
    log.attempt('end', () => res.end('text'));
  },
  'writeHead() with cookies in pairs': ({ res, log }) => {
    const pairs = [
      ['Set-Cookie', 'a=1'],
      ['X-A', '1'],
      ['SET-COOKIE', 'b=2'],
    ]; // prettier-ignore
    log.attempt('writeHead', () => res.writeHead(200, pairs));
    log.attempt('end', () => res.end('text'));
  },
  'writeHead() and write() in later turns': async ({ res, log }) => {
    log.attempt('writeHead', () => res.writeHead(200, { 'X-A': '1' }));
    await turn();
    log.note('headersSent', res.headersSent);
    log.attempt('write', () => res.write('one'));
    await turn();
    log.attempt('end', () => res.end('two'));
  },
  'writeHead() and flushHeaders()': async ({ res, log }) => {
    log.attempt('writeHead', () => res.writeHead(200, { 'X-A': '1' }));
    log.attempt('flushHeaders', () => res.flushHeaders());
    await turn();
    log.attempt('end', () => res.end('text'));
  },
  'flushHeaders() and end(text)': ({ res, log }) => {
    log.attempt('flushHeaders', () => res.flushHeaders());
    log.note('headersSent', res.headersSent);
    log.attempt('end', () => res.end('text'));
  },
  'flushHeaders() twice, write(), end()': async ({ res, log }) => {
    log.attempt('flushHeaders', () => res.flushHeaders());
    log.attempt('flushHeaders', () => res.flushHeaders());
    await turn();
    log.attempt('write', () => res.write('text'));
    log.attempt('end', () => res.end());
  },
};

/** Header fields, status codes and what else comes before the body. */
export const headers: Record<string, Recipe> = {
  'setHeader() of every kind': ({ res, log }) => {
    log.attempt('setHeader', () => res.setHeader('X-A', '1'));
    log.attempt('setHeader', () => res.setHeader('x-b', ['2', '3']));
    log.attempt('setHeader', () => res.setHeader('X-C', 4));
    log.attempt('appendHeader', () => res.appendHeader('X-A', '5'));
    log.attempt('removeHeader', () => res.removeHeader('X-C'));
    log.attempt('setHeaders', () => res.setHeaders(new Map([['X-D', '6']])));
    log.attempt('end', () => res.end('text'));
  },
  'setHeader() of cookies': ({ res, log }) => {
    log.attempt('setHeader', () => res.setHeader('Set-Cookie', 'a=1'));
    log.attempt('appendHeader', () => res.appendHeader('Set-Cookie', 'b=2'));
    log.attempt('end', () => res.end('text'));
  },
  'cookies by setHeader(), others by writeHead()': ({ res, log }) => {
    res.setHeader('Set-Cookie', ['a=1', 'b=2']);
    log.attempt('writeHead', () => res.writeHead(200, { 'X-A': '1' }));
    log.attempt('end', () => res.end('text'));
  },
  'cookies by setHeader() and by writeHead()': ({ res, log }) => {
    res.setHeader('Set-Cookie', ['a=1', 'b=2']);
    log.attempt('writeHead', () => res.writeHead(200, { 'Set-Cookie': 'c=3' }));
    log.attempt('end', () => res.end('text'));
  },
  'cookies by setHeader(), others by a flat list': ({ res, log }) => {
    res.setHeader('Set-Cookie', ['a=1', 'b=2']);
    log.attempt('writeHead', () => res.writeHead(200, ['X-A', '1']));
    log.attempt('end', () => res.end('text'));
  },
  'a cookie by setHeader() and one by a flat list': ({ res, log }) => {
    res.setHeader('Set-Cookie', ['a=1', 'b=2']);
    log.attempt('writeHead', () => res.writeHead(200, ['X-A', '1', 'Set-Cookie', 'c=3']));
    log.attempt('end', () => res.end('text'));
  },
  'headers by setHeader() and writeHead()': ({ res, log }) => {
    res.setHeader('X-A', '1');
    res.setHeader('X-B', '1');
    log.attempt('writeHead', () => res.writeHead(404, 'Nowhere', { 'X-B': '2', 'X-C': '2' }));
    log.attempt('end', () => res.end('text'));
  },
  'headers by setHeader() and a flat list': ({ res, log }) => {
    res.setHeader('X-A', '1');
    log.attempt('writeHead', () => res.writeHead(200, ['X-A', '2', 'X-B', '2', 'X-B', '3']));
    log.attempt('end', () => res.end('text'));
  },
  'Content-Length and end(text)': ({ res, log }) => {
    res.setHeader('Content-Length', 4);
    log.attempt('end', () => res.end('text'));
  },
  'Content-Length, writes and end()': ({ res, log }) => {
    res.setHeader('Content-Length', '6');
    log.attempt('write', () => res.write('one', log.callback('write')));
    log.attempt('write', () => res.write('two', log.callback('write')));
    log.attempt('end', () => res.end(log.callback('end')));
  },
  'Transfer-Encoding: chunked and end(text)': ({ res, log }) => {
    res.setHeader('Transfer-Encoding', 'chunked');
    log.attempt('end', () => res.end('text'));
  },
  'Content-Length removed': ({ res, log }) => {
    res.removeHeader('Content-Length');
    log.attempt('end', () => res.end('text'));
  },
  'no Date, Connection of its own': ({ res, log }) => {
    res.sendDate = false;
    res.setHeader('Connection', 'close');
    log.attempt('end', () => res.end('text'));
  },
  'statusCode and statusMessage': ({ res, log }) => {
    res.statusCode = 418;
    res.statusMessage = 'Teapot indeed';
    log.attempt('end', () => res.end('text'));
  },
  '204': ({ res, log }) => {
    res.statusCode = 204;
    log.attempt('end', () => res.end(log.callback('end')));
  },
  '204 with a body': ({ res, log }) => {
    res.statusCode = 204;
    log.attempt('write', () => res.write('text', log.callback('write')));
    log.attempt('end', () => res.end('text', log.callback('end')));
  },
  '304': ({ res, log }) => {
    res.setHeader('ETag', '"1"');
    log.attempt('writeHead', () => res.writeHead(304));
    log.attempt('end', () => res.end());
  },
  'a redirect': ({ res, log }) => {
    log.attempt('writeHead', () => res.writeHead(302, { Location: '/next' }));
    log.attempt('end', () => res.end());
  },
  trailers: ({ res, log }) => {
    res.setHeader('Trailer', 'X-Sum');
    log.attempt('write', () => res.write('text'));
    log.attempt('addTrailers', () => res.addTrailers({ 'X-Sum': '42' }));
    log.attempt('end', () => res.end());
  },
  'trailers after writeHead()': ({ res, log }) => {
    log.attempt('writeHead', () => res.writeHead(200, { Trailer: 'X-Sum' }));
    log.attempt('addTrailers', () => res.addTrailers([['X-Sum', '42']]));
    log.attempt('end', () => res.end('text'));
  },
  'early hints': ({ res, log }) => {
    res.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' }, log.callback('hints'));
    log.attempt('end', () => res.end('text'));
  },
  'writeProcessing()': ({ res, log }) => {
    res.writeProcessing();
    log.attempt('end', () => res.end('text'));
  },
  'writeContinue()': ({ res, log }) => {
    res.writeContinue(log.callback('continue'));
    log.attempt('end', () => res.end('text'));
  },
};
