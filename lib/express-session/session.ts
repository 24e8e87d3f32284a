// Under the path at which express-session has it: apps and stores load it from there.

import { Session } from '../session.js';

export = Session;
