import { describe, describeWithoutText, didYouMean, hasMethods } from '../option-checks.js';

/**
 * Refuses options that do not exist, so that a misspelt or foreign one does not go unnoticed.
 *
 * @param elsewhere of options of other stores: how the same is said here
 * @throws TypeError
 */
export function checkOptions(
  what: string,
  options: unknown,
  allowed: readonly string[],
  elsewhere: Readonly<Record<string, string>> = {},
): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(
      `${what} needs an object of options ({ ${allowed.join(', ')} }); got ${describeWithoutText(options)}`,
    );
  }
  for (const name of Object.keys(options)) {
    if (allowed.includes(name)) continue;
    const meant = didYouMean(name, allowed);
    const advice = Object.hasOwn(elsewhere, name)
      ? elsewhere[name]
      : meant
        ? `did you mean ${meant}?`
        : `it has ${allowed.join(', ')}`;
    throw new TypeError(`${what} has no option ${name}; ${advice}`);
  }
}

/**
 * Refuses what belongs into the options, given in their place.
 * @throws TypeError
 */
export function refuseBare(store: string, given: unknown, option: string, ...methods: string[]): void {
  if (!hasMethods(given, ...methods)) return;
  throw new TypeError(
    `${store} needs an object of options; got ${describe(given)}, which is its option ${option}: ` +
      `pass { ${option} }, as in new ${store}({ ${option} })`,
  );
}
