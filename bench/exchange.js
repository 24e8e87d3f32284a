// One request and its response, of node:http's own classes, over a socket that goes nowhere. What is left out is the
// parser and the operating system, which cost the same with any session middleware and would drown the difference.
const { IncomingMessage, ServerResponse } = require('node:http');
const { Duplex } = require('node:stream');

/** Takes everything at once, as a socket with room in its buffer does, and counts the writes. */
class NullSocket extends Duplex {
  writes = 0;

  _read() {}

  _write(_chunk, _encoding, done) {
    this.writes++;
    done();
  }

  _writev(_chunks, done) {
    this.writes++;
    done();
  }
}

/**
 * Gives `listener` a request with this cookie header (a Buffer, or undefined for none), and calls `done(res)` when the
 * response is over. It begins and ends one as node:http's server does.
 */
function exchange(listener, socket, cookie, done) {
  const req = new IncomingMessage(socket);
  req.method = 'GET';
  req.url = '/';
  req.httpVersionMajor = 1;
  req.httpVersionMinor = 1;
  req.httpVersion = '1.1';
  req.complete = true;
  req.headers = headersWith(cookie);

  const res = new ServerResponse(req);
  res.assignSocket(socket);
  res.on('finish', () => {
    res.detachSocket(socket);
    process.nextTick(close, res, done);
  });
  listener(req, res);
}

/** The header is a new string each time, as out of a parser: one that was looked up before would know its hash. */
function headersWith(cookie) {
  if (cookie === undefined) return { host: 'localhost', 'user-agent': 'bench' };
  return { host: 'localhost', 'user-agent': 'bench', cookie: cookie.latin1Slice(0, cookie.length) };
}

function close(res, done) {
  res.destroyed = true;
  res.emit('close');
  done(res);
}

module.exports = { NullSocket, exchange };
