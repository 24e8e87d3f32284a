// Prints where in the package's TypeScript sources an error was thrown, by its source maps.
const session = require('steady-session');

try {
  session({ ...session.recommended, secret: [] });
} catch (error) {
  console.log(/lib[/\\][\w-]+\.ts:\d+/.exec(error.stack)?.[0]);
}
