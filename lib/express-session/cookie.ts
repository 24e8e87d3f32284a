// Under the path at which express-session has it: apps and stores load it from there.

import { Cookie } from '../cookies/cookie.js';

export = Cookie;
