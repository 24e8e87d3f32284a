// Usage: node scripts/count-tests.mjs RESULTS EXIT_CODE
// Reads what `jest --json` wrote and prints "PASSED FAILED". Skipped tests count as failed: this runs where nothing
// may be skipped. So does a test file that could not be run, and an exit code that no test accounts for.
import { readFileSync } from 'node:fs';

const [file, exitCode] = process.argv.slice(2);
const results = JSON.parse(readFileSync(file, 'utf8'));

const skipped = results.testResults
  .flatMap(({ assertionResults }) => assertionResults)
  .filter(({ status }) => !['passed', 'failed'].includes(status));
for (const { fullName } of skipped) console.error(`Skipped: ${fullName}`);

const failed = results.numFailedTests + results.numRuntimeErrorTestSuites + skipped.length;
const unexplained =
  failed === 0 && (Number(exitCode) !== 0 || !results.success || results.numPassedTests === 0);
console.log(results.numPassedTests, unexplained ? 1 : failed);
