'use strict';

const http = require('node:http');
const express = require('express');
const { WebSocketServer } = require('ws');

/**
 * A chat for those who are logged in: HTTP logs in and out, a WebSocket talks.
 *
 * @param {object} options
 * @param {Function} options.session the middleware factory: `require('steady-session')`
 * @param {string} options.secret signs the cookies
 * @param {object} [options.store] where sessions are kept; the middleware's memory store by default
 */
function createChat({ session, secret, store }) {
  const sessions = session({ ...session.recommended, secret, store });
  const app = express();
  app.use(sessions);
  app.post('/login/:name', login);
  app.post('/logout', logout);

  const server = http.createServer(app);
  const sockets = new WebSocketServer({ server });
  sessions.websocket(sockets);
  sockets.on('connection', (socket, req) => {
    if (!req.session.user) return socket.close(1008, 'please log in');
    socket.on('message', (text) => hear(sockets, req, String(text)));
    socket.on('close', () => {
      req.session.lastSeen = new Date().toISOString(); // stored when this is done
    });
  });
  return server;
}

/** A login gives the session a new id, whoever knew the old one. Sockets that are open go along. */
async function login(req, res) {
  await req.session.regenerate();
  req.session.user = req.params.name;
  res.json({ user: req.session.user });
}

/** Closes all sockets of the session, too. */
function logout(req, res) {
  req.session.clear();
  res.json({});
}

/** HTTP requests and other sockets may count at the same time: `update()` loses none. */
async function hear(sockets, req, text) {
  try {
    const count = await req.session.update((data) => {
      data.messages = (data.messages ?? 0) + 1;
      return data.messages;
    });
    const message = JSON.stringify({ from: req.session.user, text, count });
    for (const socket of sockets.clients) socket.send(message);
  } catch (error) {
    if (error.code !== 'ERR_SESSION_GONE') console.error(error); // logged out meanwhile: the socket is being closed
  }
}

module.exports = { createChat };
