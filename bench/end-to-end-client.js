// The client, in a process of its own: a few connections that are kept alive, on each one request after the other. It
// knows just enough of HTTP to see where a response ends, so as to be faster than any server it is to measure.
const { connect } = require('node:net');
const { performance } = require('node:perf_hooks');

const CONNECTIONS = 16;
const HEAD_END = '\r\n\r\n';

process.on('message', async ([command, ...args]) => process.send(await { logIn, drive }[command](...args)));

/** Makes `count` sessions, and answers their cookies. */
async function logIn(port, count) {
  const cookies = [];
  const connection = new Connection(port);
  while (cookies.length < count) {
    const head = await new Promise((resolve) => connection.ask(requestFor('/login'), resolve));
    cookies.push(/^set-cookie: ([^;\r]+)/im.exec(head)?.[1]); // none without sessions
  }
  connection.end();
  return cookies;
}

/** Sends requests for `duration` ms, and until there were `fewest` responses. Answers how many came per second. */
async function drive(port, path, cookies, duration, fewest) {
  const requests = cookies.map((cookie) => requestFor(path, cookie));
  const connections = Array.from({ length: CONNECTIONS }, () => new Connection(port));
  const start = performance.now();
  let responses = 0;
  const keepAsking = (connection) =>
    new Promise((resolve) => {
      const next = () => {
        if (responses >= fewest && performance.now() - start > duration) return resolve();
        const request = requests[Math.floor(Math.random() * requests.length)];
        connection.ask(request, () => {
          responses++;
          next();
        });
      };
      next();
    });
  await Promise.all(connections.map(keepAsking));
  const seconds = (performance.now() - start) / 1000;
  for (const connection of connections) connection.end();
  return responses / seconds;
}

function requestFor(path, cookie) {
  const header = cookie ? `Cookie: ${cookie}\r\n` : '';
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${header}\r\n`;
}

class Connection {
  #socket;
  #received = '';
  #answered;

  constructor(port) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true }).setEncoding('latin1');
    this.#socket.on('data', (chunk) => this.#take(chunk));
    this.#socket.on('error', (error) => {
      throw error;
    });
  }

  /** Calls back with the head of the response when all of it is there. */
  ask(request, answered) {
    this.#answered = answered;
    this.#socket.write(request);
  }

  #take(chunk) {
    this.#received += chunk;
    const headEnd = this.#received.indexOf(HEAD_END);
    if (headEnd === -1) return;
    const head = this.#received.slice(0, headEnd);
    const length = Number(/^content-length: (\d+)/im.exec(head)?.[1]);
    if (!head.startsWith('HTTP/1.1 200') || Number.isNaN(length))
      throw new Error(`Unexpected response: ${head}`);
    if (this.#received.length < headEnd + HEAD_END.length + length) return;
    this.#received = '';
    this.#answered(head);
  }

  end() {
    this.#socket.destroy();
  }
}
