// What apps and stores load from inside of express-session. Prints as JSON which property of the package each path is.
const session = require('express-session');

const nameOf = (module) =>
  module === session ? 'all of it' : Object.keys(session).find((name) => session[name] === module);

console.log(
  JSON.stringify(Object.fromEntries(process.argv.slice(2).map((path) => [path, nameOf(require(path))]))),
);
