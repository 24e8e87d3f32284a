import { contextOf, visitOf } from './request-slot.js';

/**
 * `req.session`, which is made when somebody first looks at it: most requests of most apps never do. One accessor for
 * all requests: to define it costs 0.15 us, one with closures of its own 8 us.
 */
const accessor: PropertyDescriptor & ThisType<object> = {
  configurable: true,
  enumerable: true,
  get() {
    const visit = visitOf(this);
    if (!visit || visit.req !== probed) return visit?.context.exposed;
    wasReached = true;
    return undefined;
  },
  set(value) {
    const context = Object.hasOwn(this, 'session') ? contextOf(this) : undefined;
    if (context) context.exposed = value;
    else Object.defineProperty(this, 'session', { value, ...PLAIN }); // of an object that inherits from the request
  },
};

const PLAIN = { configurable: true, enumerable: true, writable: true };

/** Lets the request's context give `req.session`. */
export function exposeSession(req: object): void {
  Object.defineProperty(req, 'session', accessor);
}

/** The request of which it is only asked whether its `session` is ours, and whether that has been found out. */
let probed: object | undefined;
let wasReached = false;

/**
 * Whether `req.session` is the accessor still, or one of the app's that asks it. Found out by looking, which costs less than
 * its descriptor.
 */
export function isExposed(req: { session?: unknown }): boolean {
  const outer = probed; // another request, which a getter of the app's may be looking at
  const outerWasReached = wasReached;
  probed = req;
  wasReached = false;
  try {
    void req.session;
  } catch {} // the app's may do something with what it is given
  const isOurs = wasReached;
  probed = outer;
  wasReached = outerWasReached;
  return isOurs;
}
