// A redis-server of the bench's own: a free port, no persistence, gone with this process.
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { mkdtempSync, rmSync } = require('node:fs');
const { createServer, connect } = require('node:net');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { setTimeout: delay } = require('node:timers/promises');

const HOST = '127.0.0.1';
const PATIENCE = 10_000;

/** `{ url, stop() }`, or undefined where no Redis is installed. */
async function startRedis() {
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), 'steady-session-bench-'));
  const args = ['--port', `${port}`, '--bind', HOST, '--dir', dir, '--save', '', '--appendonly', 'no'];
  const server = spawn('redis-server', args, { stdio: 'ignore' });
  const end = () => server.kill('SIGKILL');
  process.once('exit', end);
  const stop = () => {
    process.off('exit', end);
    end();
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    await once(server, 'spawn');
    await listening(port);
  } catch (error) {
    stop();
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
  return { url: `redis://${HOST}:${port}`, stop };
}

async function freePort() {
  const probe = createServer().listen(0, HOST);
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

async function listening(port) {
  const deadline = Date.now() + PATIENCE;
  while (!(await accepts(port))) {
    if (Date.now() > deadline) throw new Error(`redis-server did not start within ${PATIENCE / 1000} s.`);
    await delay(20);
  }
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, HOST, () => resolve(true));
    socket.on('connect', () => socket.destroy()).on('error', () => resolve(false));
  });
}

module.exports = { startRedis };
