// Under the path at which express-session has it: apps and stores load it from there.

import { Store } from '../stores/connect-store.js';

export = Store;
