// Under the path at which express-session has it: apps and stores load it from there.

import { MemoryStore } from '../stores/memory.js';

export = MemoryStore;
