// Loaded before every example of the documentation.
import { Server } from 'node:net';

process.env.SESSION_SECRET ??= 'a text of at least thirty-two random bytes';

/**
 * Examples listen on ports that others may be using: they get free ones, which `address()` of visitor.mjs tells. And
 * they close nothing, so their servers don't keep the process from ending.
 */
const { listen } = Server.prototype;
Server.prototype.listen = function (...args) {
  globalThis.latestServer = this;
  this.on('connection', (socket) => socket.unref());
  return listen.apply(this, typeof args[0] === 'number' ? [0, ...args.slice(1)] : args).unref();
};

/** An example that makes the package warn is a bad example. */
process.on('warning', ({ name }) => {
  if (['SteadySessionWarning', 'DeprecationWarning'].includes(name)) process.exitCode = 1;
});
