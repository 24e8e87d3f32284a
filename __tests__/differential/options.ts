import { START } from './clock.js';
import { SECRETS } from './cookies.js';
import type { CookieSpec, OptionsSpec, SecretSpec } from './scenario.js';

/** The options object that a scenario describes: only what it names is in it. */
export function buildOptions(spec: OptionsSpec, store: unknown): Record<string, unknown> {
  const { resave, saveUninitialized, rolling, unset, proxy, name, nameAsKey, secret, cookie } = spec;
  let ids = 0;
  return given({
    resave,
    saveUninitialized,
    rolling,
    unset,
    proxy,
    [nameAsKey ? 'key' : 'name']: name,
    secret: secrets[secret],
    cookie: cookie && buildCookie(cookie),
    store,
    // The same ids on both sides, with a character that the cookie has to encode.
    genid: () => `session/${++ids}`,
  });
}

const secrets: Record<SecretSpec, unknown> = {
  text: SECRETS[0],
  rotated: [...SECRETS],
  buffer: Buffer.from(SECRETS[0]),
  'req.secret': undefined,
  none: undefined,
};

function buildCookie({ asFunction, expiresIn, ...rest }: CookieSpec): unknown {
  const build = () =>
    expiresIn === undefined ? { ...rest } : { ...rest, expires: new Date(START + expiresIn) };
  return asFunction ? build : build();
}

function given(options: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
