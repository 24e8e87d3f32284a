'use strict';

const { WebSocket, WebSocketServer } = require('ws');

/**
 * WebSockets at /live, with the sessions of the app. Each window hears how many there are of its session.
 *
 * @param {object} sessions the middleware
 * @param {import('node:http').Server} server the app's
 */
function serveLive(sessions, server) {
  const sockets = new WebSocketServer({ server, path: '/live' });
  // Signing in and out gives the session a new id here. What a window shows is then about the session before.
  sessions.websocket(sockets, { onRegenerate: 'close' });

  sockets.on('connection', (socket, req) => {
    socket.sessionID = req.sessionID;
    tellWindows(socket.sessionID);
    socket.on('close', () => tellWindows(socket.sessionID));
  });

  function tellWindows(sessionID) {
    const windows = [...sockets.clients].filter(
      (socket) => socket.sessionID === sessionID && socket.readyState === WebSocket.OPEN,
    );
    for (const socket of windows) socket.send(JSON.stringify({ windows: windows.length }));
  }
}

module.exports = { serveLive };
