import { brokenBasics } from './broken-basics.js';
import { brokenExpected } from './broken-expected.js';
import { brokenExpiry } from './broken-expiry.js';
import { brokenGetAndTouch } from './broken-get-and-touch.js';
import { brokenIds } from './broken-ids.js';
import { brokenInstances } from './broken-instances.js';
import { brokenOnDestroy } from './broken-on-destroy.js';
import { brokenOwned } from './broken-owned.js';
import type { BrokenStore } from './broken-store.js';
import { brokenTexts } from './broken-texts.js';

/** One store for each fault that the kit is to find. */
export const brokenStores: BrokenStore[] = [
  ...brokenBasics,
  ...brokenExpected,
  ...brokenExpiry,
  ...brokenIds,
  ...brokenTexts,
  ...brokenGetAndTouch,
  ...brokenOwned,
  ...brokenOnDestroy,
  ...brokenInstances,
];
