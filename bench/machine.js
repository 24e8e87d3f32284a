// What the figures were taken on and with.
const { readFileSync } = require('node:fs');
const { availableParallelism, cpus, totalmem } = require('node:os');
const { join } = require('node:path');

const PACKAGES = [
  'express-session',
  'express',
  'memorystore',
  'cookie-session',
  'iron-session',
  'connect-redis',
  'redis',
];

function machine() {
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: cpus()[0].model,
    cores: availableParallelism(),
    memory: `${Math.round(totalmem() / 2 ** 30)} GB`,
    node: process.version.slice(1),
    platform: `${process.platform} ${process.arch}`,
  };
}

function packages() {
  const root = join(__dirname, '..');
  const versionIn = (directory) => JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')).version;
  const others = PACKAGES.map((name) => [name, versionIn(join(root, 'node_modules', name))]);
  return Object.fromEntries([['steady-session', versionIn(root)], ...others]);
}

module.exports = { machine, packages };
