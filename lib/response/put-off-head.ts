import { ServerResponse } from 'node:http';
import { type Freezable, type HeadState, slot } from './frozen-head.js';
import type { AnyFunction } from './real-response.js';
import { copyHeaders, rawHeadersOf, readStatus, writeStatus } from './response-head.js';

// An explicit writeHead() is put off to the first byte. Until then it is to look done: it throws what it would have thrown, and
// what it sets can be read.

/** A writeHead() that has been put off. */
export interface PutOffHead {
  readonly args: unknown[];
  /** What the response had before. */
  readonly statusMessage: string;
  /** A response that it has been done to. */
  readonly trial: ServerResponse;
}

type Response = Freezable<HeadState & { readonly head: PutOffHead | undefined }>;

/** @throws what `writeHead()` itself would throw */
export function putOff(res: Response, args: unknown[]): PutOffHead {
  const { statusMessage } = res;
  const trial = likeOf(res);
  try {
    (trial.writeHead as AnyFunction)(...args);
  } finally {
    writeStatus(res, readStatus(trial)); // the real one would have set it before it throws
  }
  if (setsHeaders(trial)) readFromTrial(res);
  return { args: args.map(copyHeaders), statusMessage, trial };
}

function likeOf(res: Response): ServerResponse {
  const trial = new ServerResponse(res.req ?? { method: 'GET' });
  writeStatus(trial, readStatus(res));
  for (const [name, value] of rawHeadersOf(res)) trial.setHeader(name, value as string);
  return trial;
}

/** Where no header was set before, Node.js sends those of `writeHead()` without setting them. */
function setsHeaders(trial: ServerResponse): boolean {
  return trial.getHeaderNames().length > 0;
}

const READERS = ['getHeader', 'hasHeader', 'getHeaderNames', 'getRawHeaderNames', 'getHeaders'] as const;

type Reader = (typeof READERS)[number];

const readers = Object.fromEntries(READERS.map((name) => [name, readerOf(name)])) as Record<
  Reader,
  AnyFunction
>;

/** They stay there once the head has left, and read from the response then: to delete them would cost 3 us. */
function readFromTrial(res: Response): void {
  for (const name of READERS) {
    if (!Object.hasOwn(res, name)) Reflect.set(res, name, readers[name]); // else it is the app's, or that of a test double
  }
}

function readerOf(name: Reader): AnyFunction {
  return function (this: unknown, ...args) {
    const res = this as Response;
    const source = res[slot].head?.trial ?? res;
    return Object.getPrototypeOf(source)[name].apply(source, args);
  };
}
