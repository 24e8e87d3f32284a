// Packages of others that bring no types. Those of @types/express-session would take the place of our own on
// Express.Request; what they say is tested in package/types.test.ts.
declare module 'better-sqlite3';
declare module 'better-sqlite3-session-store' {
  const sqliteStore: (session: any) => any;
  export = sqliteStore;
}
declare module 'connect-memcached';
declare module 'connect-pg-simple';
declare module 'express-session' {
  const session: any;
  namespace session {
    type Store = any;
    type SessionOptions = any;
  }
  export = session;
}
declare module 'session-file-store';
