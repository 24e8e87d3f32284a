// `npm start` has to print an address that answers with a page and a session cookie.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const TIMEOUT = 30_000;

const child = spawn('npm', ['start'], {
  env: { ...process.env, PORT: '0' },
  stdio: ['ignore', 'pipe', 'inherit'],
  detached: true, // npm starts the app in a process of its own: the whole group ends together
});
const signal = AbortSignal.timeout(TIMEOUT);
try {
  const address = await printedAddress();
  const response = await fetch(address, { signal });
  const [cookie] = response.headers.getSetCookie();
  const page = await response.text();
  console.log(
    `${address} answers ${response.status}, ${page.length} characters, cookie ${cookie?.split('=')[0]}`,
  );
  if (response.status !== 200 || page.length === 0 || cookie === undefined) process.exitCode = 1;
} finally {
  if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
}

async function printedAddress() {
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`npm start ended with exit code ${code}.`);
  });
  return Promise.race([addressIn(child.stdout), ended]);
}

async function addressIn(output) {
  let printed = '';
  for await (const chunk of output) {
    printed += chunk;
    const found = /http:\/\/localhost:\d+/.exec(printed);
    if (found) return found[0];
  }
  throw new Error(`npm start printed no address:\n${printed}`);
}
