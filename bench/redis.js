// What a request asks of Redis, as Redis itself counts it: the commands that come in, and the bytes both ways.
const { RedisStore: ConnectRedis } = require('connect-redis');
const expressSession = require('express-session');
const { createClient } = require('redis');
const { RedisStore, session } = require('./build.js');
const { NullSocket, exchange } = require('./exchange.js');
const { cookiesFor } = require('./population.js');
const { cases } = require('./redis-cases.js');
const { startRedis } = require('./redis-server.js');
const { options, scenarios, seed } = require('./scenarios.js');
const { appWith } = require('./subjects/app.js');
const { OURS, REFERENCE } = require('./subjects/index.js');

const REQUESTS = 100;

const middlewares = {
  [REFERENCE]: (client) => expressSession({ ...options, store: new ConnectRedis({ client }) }),
  [OURS]: (client, own) => session({ ...options, ...own, store: new RedisStore({ client }) }),
};

/** `{ [case]: { [subject]: { commands, names, sent, received } } }`, or undefined without Redis. */
async function measureRedis() {
  const server = await startRedis();
  if (!server) return undefined;
  try {
    const results = {};
    for (const name of Object.keys(cases)) {
      results[name] = {};
      for (const subject of Object.keys(middlewares))
        results[name][subject] = await measureCase(server.url, name, subject);
    }
    return results;
  } finally {
    server.stop();
  }
}

async function measureCase(url, name, subject) {
  const { scenario: scenarioName, own } = cases[name];
  const scenario = scenarios[scenarioName];
  const client = await connected(url);
  const observer = await connected(url);
  await observer.flushAll();

  const work = { visit: seed(scenario) };
  const listener = appWith(middlewares[subject](client, own), work);
  const socket = new NullSocket();
  const cookies = await cookiesFor(scenario, listener, socket);
  work.visit = scenario.visit;
  const requests = async () => {
    for (let i = 0; i < REQUESTS; i++) await finished(listener, socket, cookies[i % cookies.length]);
  };

  await requests(); // loads scripts
  const commands = await countCommands(url, observer, requests);
  const bytes = await countBytes(observer, requests);
  client.destroy();
  observer.destroy();
  return { ...commands, ...bytes };
}

/** What clients send (what a script does inside of Redis is none of it), by MONITOR. */
async function countCommands(url, observer, requests) {
  const seen = [];
  const monitor = await connected(url);
  await monitor.monitor((line) => {
    const [, client, command] = /\[\d+ (\S+)\] "(\w+)"/.exec(line);
    if (client !== 'lua') seen.push(command.toUpperCase());
  });
  await requests();
  await observer.echo('end');
  while (seen.at(-1) !== 'ECHO') await turn();
  monitor.destroy();

  const commands = seen.slice(0, -1);
  const names = [...new Set(commands)].map((command) => {
    const perRequest = commands.filter((other) => other === command).length / REQUESTS;
    return perRequest === 1 ? command : `${perRequest} ${command}`;
  });
  return { commands: commands.length / REQUESTS, names: names.join(' + ') };
}

/** Bytes per request: `sent` to Redis, `received` from it. What asking for them costs is taken off. */
async function countBytes(observer, requests) {
  const first = await traffic(observer);
  const before = await traffic(observer);
  await requests();
  const after = await traffic(observer);
  const perRequest = (direction) =>
    (after[direction] - before[direction] - (before[direction] - first[direction])) / REQUESTS;
  return { sent: perRequest('input'), received: perRequest('output') };
}

async function traffic(observer) {
  const info = await observer.info('stats');
  const total = (direction) => Number(new RegExp(`total_net_${direction}_bytes:(\\d+)`).exec(info)[1]);
  return { input: total('input'), output: total('output') };
}

/** As docs/operating.md advises: without a timer for each command. */
async function connected(url) {
  const client = createClient({ url, commandOptions: { timeout: 0 } });
  client.on('error', () => {});
  return client.connect();
}

function finished(listener, socket, cookie) {
  return new Promise((resolve) => exchange(listener, socket, cookie, resolve)).then(turn);
}

function turn() {
  return new Promise((resolve) => setImmediate(resolve));
}

module.exports = { measureRedis };
