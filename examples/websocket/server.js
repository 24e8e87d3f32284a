'use strict';

const crypto = require('node:crypto');
const session = require('steady-session');
const { createChat } = require('./app.js');

const secret = process.env.SESSION_SECRET ?? crypto.randomBytes(32).toString('base64url');
const server = createChat({ session, secret });
server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`
  The chat runs at  ws://localhost:${server.address().port}

    curl -i -X POST http://localhost:${server.address().port}/login/ada     (note the cookie)
    npx wscat -H 'Cookie: connect.sid=...' -c ws://localhost:${server.address().port}
    curl -X POST -H 'Cookie: connect.sid=...' http://localhost:${server.address().port}/logout     (the socket closes: 1008)
`);
});
