import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import expressSession from 'express-session';
import createMemoryStore from 'memorystore';
import createFileStore from 'session-file-store';
import { fromConnectStore } from '../../lib/adapters/connect.js';
import { conformance } from '../../lib/conformance/index.js';
import { CALLBACK_STORE } from './connect-kit.js';

describe("express-session's MemoryStore keeps the contract", () => {
  const stores: expressSession.Store[] = [];
  const store = () => {
    stores.push(new expressSession.MemoryStore());
    return fromConnectStore(stores.at(-1)!, { expiry: 'cookie' });
  };
  conformance({
    test,
    ...CALLBACK_STORE,
    store,
    // Over the same store there is one lock, so even two adapters are as good as one.
    second: () => fromConnectStore(stores.at(-1)!, { expiry: 'cookie' }),
    separate: store,
  });
});

describe('memorystore keeps the contract', () => {
  const MemoryStore: any = createMemoryStore(expressSession);
  const store = () => fromConnectStore(new MemoryStore({}));
  // Its expiry is a millisecond late.
  conformance({ test, ...CALLBACK_STORE, ttlGranularity: 2, store, separate: store });
});

describe('session-file-store keeps the contract', () => {
  const FileStore = createFileStore(expressSession);
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'steady-files-'));
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  const store = (path: string) =>
    fromConnectStore(new FileStore({ path, retries: 0, reapInterval: -1, logFn: () => {} }), {
      expiry: 'cookie',
    });
  conformance({
    test,
    ...CALLBACK_STORE,
    ids: 'url-safe', // they are names of files
    ttlGranularity: 100, // a life counts from when the file is written
    store: () => store(dir),
    second: () => store(dir),
    separate: () => store(join(dir, 'others')),
  });
});
