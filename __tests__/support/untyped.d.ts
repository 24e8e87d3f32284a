// Packages of others that bring no types. Those of @types/express-session would clash with our own on Express.Request.
declare module 'better-sqlite3';
declare module 'better-sqlite3-session-store';
declare module 'connect-memcached';
declare module 'connect-pg-simple';
declare module 'express-session';
declare module 'session-file-store';
