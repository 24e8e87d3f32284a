// Writes the results: to the terminal, as bench/results.json, and into docs/performance.md, between its markers.
const { readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { chart } = require('./chart.js');
const { tablesOf, verdict } = require('./tables.js');

const RESULTS = join(__dirname, 'results.json');
const PAGE = join(__dirname, '../docs/performance.md');
const CHART = join(__dirname, '../docs/performance.svg');
const MARKERS = ['<!-- results -->', '<!-- /results -->'];

function print(results) {
  console.log(machineLine(results));
  for (const { title, head, rows } of tablesOf(results)) {
    console.log(`\n${title}`);
    console.log(aligned([head, ...rows].map(plain)));
  }
  const { summary, missed } = verdict(results);
  console.log(`\n${summary}`);
  for (const line of missed) console.log(`  not met: ${line.replaceAll('`', '')}`);
}

function save(results) {
  writeFileSync(RESULTS, `${JSON.stringify(results, roundNumbers, 2)}\n`);
  const { page, svg } = render(savedResults());
  writeFileSync(PAGE, page);
  writeFileSync(CHART, svg);
}

/** The page with the tables of these results, and the chart. */
function render(results) {
  return { page: between(readFileSync(PAGE, 'utf8'), markdown(results)), svg: chart(results) };
}

function savedResults() {
  return JSON.parse(readFileSync(RESULTS, 'utf8'));
}

/** More digits would be noise. */
function roundNumbers(_key, value) {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
}

function between(page, text) {
  const [start, end] = MARKERS.map((marker) => page.indexOf(marker));
  if (start === -1 || end < start) throw new Error(`docs/performance.md needs ${MARKERS.join(' and ')}.`);
  return `${page.slice(0, start + MARKERS[0].length)}\n\n${text}\n${page.slice(end)}`;
}

function markdown(results) {
  const { summary, missed } = verdict(results);
  const tables = tablesOf(results).map(({ title, head, rows }) => {
    const line = (cells) => `| ${cells.join(' | ')} |`;
    return [`### ${title}`, '', line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
  });
  const list = missed.length > 0 ? ['Not met:', missed.map((entry) => `- ${entry}`).join('\n')] : [];
  return `${[machineLine(results), summary, ...list, ...tables].join('\n\n')}\n`;
}

function machineLine({ machine, packages, settings }) {
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
  const { cpu, cores, memory, node, date } = machine;
  return `Measured on ${date}, ${settings.mode} run: ${cpu}, ${cores} cores, ${memory}, Node.js ${node}; ${versions.join(', ')}.`;
}

function plain(cells) {
  return cells.map((cell) => cell.replaceAll('`', ''));
}

function aligned(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column])).join('  ')}`.trimEnd())
    .join('\n');
}

module.exports = { print, render, save, savedResults };
