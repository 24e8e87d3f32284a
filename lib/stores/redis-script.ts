import { createHash } from 'node:crypto';

/** A Lua script over one key, and the digest by which the server knows it. */
export interface RedisScript {
  readonly text: string;
  readonly digest: string;
}

/** How a client runs scripts. */
export interface ScriptCommands {
  eval(script: string, key: string, args: string[]): Promise<unknown>;
  evalsha(sha1: string, key: string, args: string[]): Promise<unknown>;
}

export function redisScript(text: string): RedisScript {
  return { text, digest: sha1(text) };
}

/** By the script's digest, which is all that crosses the wire unless the server has not seen the script yet. */
export async function runScript(
  commands: ScriptCommands,
  script: RedisScript,
  key: string,
  args: string[],
): Promise<unknown> {
  try {
    return await commands.evalsha(script.digest, key, args);
  } catch (error) {
    if (!String(error).includes('NOSCRIPT')) throw error;
    return commands.eval(script.text, key, args);
  }
}

export function sha1(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}
