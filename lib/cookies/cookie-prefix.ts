// What browsers demand of cookies whose name begins with `__Host-` or `__Secure-` (RFC 6265bis section 4.1.3), said to
// the compiler. Only what is certain to be wrong is an error: a `domain` of type `string | undefined` may be right, and
// `session()` checks the values.

import type { SessionOptions } from '../options.js';

/**
 * What the option `cookie` must be, given the types of the cookie's name and attributes as the app has them. An
 * attribute that it leaves out is `unknown`.
 */
export type CookieForName<Name, Domain, Path, Secure> = Name extends `__${'Host' | 'host'}-${string}`
  ? SecureFor<Secure> & DomainFor<Domain> & PathFor<Path>
  : Name extends `__${'Secure' | 'secure'}-${string}`
    ? SecureFor<Secure>
    : unknown;

type SecureFor<Given> = unknown extends Given
  ? { cookie: { secure: true | 'auto' } | CookieFunction }
  : [Given] extends [false | undefined]
    ? { cookie: { secure: true | 'auto' } }
    : unknown;

/** Without `exactOptionalPropertyTypes` the compiler reads `string` off `domain?: string`. */
type DomainFor<Given> = unknown extends Given
  ? unknown
  : [Given] extends [string]
    ? string extends Given
      ? unknown
      : { cookie: { domain: MustBe<'left out for a cookie called __Host-...'> } }
    : unknown;

type PathFor<Given> = '/' extends Given
  ? unknown
  : { cookie: { path: MustBe<"'/' for a cookie called __Host-..."> } };

/** No value is of this type. The compiler's message shows what there should be instead. */
interface MustBe<What extends string> {
  readonly mustBe: What;
}

type CookieFunction = Extract<SessionOptions['cookie'], (...args: any[]) => unknown>;
