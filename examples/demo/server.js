'use strict';

const crypto = require('node:crypto');
const session = require('steady-session');
const { createApp } = require('./app.js');
const { serveLive } = require('./live.js');

const HOST = '127.0.0.1'; // this machine only: anybody may sign in to a demo under any name
const DEFAULT_PORT = 3000;

start(process.env).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});

async function start(env) {
  const app = createApp({ session, secret: readSecret(env), inspector: readInspector(env) });
  const server = await listen(app, readPort(env.PORT));
  serveLive(app.get('sessions'), server);
  announce(server.address().port, env.NODE_ENV !== 'production');
}

/** A secret made up at start is fine while developing; it would sign out all users at each deployment. */
function readSecret(env) {
  if (env.SESSION_SECRET) return env.SESSION_SECRET;
  if (env.NODE_ENV !== 'production') return crypto.randomBytes(32).toString('base64url');
  throw new Error(
    'Set SESSION_SECRET: in production the demo does not make up a secret to sign cookies with.',
  );
}

/** The page that shows all sessions, while developing. */
function readInspector(env) {
  return env.NODE_ENV === 'production' ? undefined : require('steady-session/inspector').inspector;
}

/** The port that was asked for, or undefined where the choice is ours. */
function readPort(text) {
  if (text === undefined || text === '') return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65535) return port;
  throw new Error(`PORT must be a whole number from 0 to 65535 (0 takes any free port), not "${text}".`);
}

/** Listens on the port asked for or fails; when none was asked for and the usual one is taken, on any free one. */
async function listen(app, port) {
  try {
    return await listenOn(app, port ?? DEFAULT_PORT);
  } catch (error) {
    if (error.code !== 'EADDRINUSE') throw error;
    if (port !== undefined) {
      throw new Error(
        `Port ${port} is taken by another program. Try another, such as PORT=${port + 1} npm start.`,
      );
    }
    console.log(`Port ${DEFAULT_PORT} is taken by another program, so here is another one.`);
    return listenOn(app, 0);
  }
}

function listenOn(app, port) {
  return new Promise((resolve, reject) => {
    const server = app.listen(port, HOST, (error) => (error ? reject(error) : resolve(server)));
  });
}

function announce(port, inspects) {
  const inspection = `
    6. Look at all of it from the outside, in another window: http://localhost:${port}/inspector`;
  console.log(`
  The steady-session demo runs at  http://localhost:${port}

  Try this:
    1. Reload the page: the visits count up, and the remaining lifetime starts anew.
    2. Sign in under any name: the session keeps its data and gets a new id.
    3. Leave yourself a message: it survives the redirect and shows exactly once.
    4. Open "Live" in two windows and sign out in one: the other's WebSocket closes and says so.
    5. Sign out, or clear your session: the record is deleted and your browser drops the cookie.${inspects ? inspection : ''}

  Sessions are in this process's memory: they are gone when it stops (Ctrl+C).
`);
}
