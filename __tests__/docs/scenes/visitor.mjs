import { once } from 'node:events';

/** Where the server of the example listens. */
export async function address(server = globalThis.latestServer) {
  if (!server.listening) await once(server, 'listening');
  return `http://localhost:${server.address().port}`;
}

/** A browser, as far as sessions are concerned: it keeps cookies, and follows no redirect by itself. */
export class Visitor {
  #base;
  /** Values by name. */
  cookies = new Map();

  constructor(base) {
    this.#base = base;
  }

  get(path) {
    return this.request(path);
  }

  post(path, body = {}) {
    return this.request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  async request(path, { headers = {}, ...init } = {}) {
    const cookie = [...this.cookies].map((pair) => pair.join('=')).join('; ');
    const response = await fetch(this.#base + path, {
      ...init,
      redirect: 'manual',
      headers: { ...headers, ...(cookie && { cookie }) },
    });
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    return response;
  }

  /** The body of a page as text. */
  async text(path) {
    return (await this.get(path)).text();
  }

  async json(path) {
    return (await this.get(path)).json();
  }

  #keep(line) {
    const [pair] = line.split(';');
    const at = pair.indexOf('=');
    const expires = /; Expires=([^;]+)/i.exec(line)?.[1];
    if (expires && Date.parse(expires) <= Date.now()) this.cookies.delete(pair.slice(0, at));
    else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
  }
}
