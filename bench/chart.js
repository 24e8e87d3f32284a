// The chart that the README shows: each scenario's cost as a share of what express-session costs, in CPU time and in bytes
// allocated, with the goals. Readable on light and on dark.
const { scenarios } = require('./scenarios.js');
const { OURS, OURS_RECOMMENDED } = require('./subjects/index.js');

const WIDTH = 900;
const TOP = 92;
const ROW = 40;
const BAR = 11;
const LABELS = 245;
const PANEL = 270;
const GAP = 48;
/** Longer bars are cut off there; their number still tells. */
const LONGEST = 1.25;

const BARS = [
  [OURS, 'default', 'steady-session'],
  [OURS_RECOMMENDED, 'recommended', 'steady-session, recommended'],
];

const STYLE = `
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
  .title { font-size: 17px; font-weight: 600; }
  .head { font-weight: 600; }
  .small { font-size: 11px; }
  .muted { fill: #59636e; }
  .back { fill: #ffffff; }
  .default { fill: #0969da; }
  .recommended { fill: #8250df; }
  .one { stroke: #59636e; }
  .goal { stroke: #bc4c00; stroke-width: 2; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .muted { fill: #9198a1; }
    .back { fill: #0d1117; }
    .default { fill: #4493f8; }
    .recommended { fill: #ab7df8; }
    .one { stroke: #9198a1; }
    .goal { stroke: #f0883e; }
  }`;

function chart({ time, allocations, machine, packages }) {
  const names = Object.keys(time);
  const height = TOP + names.length * ROW + 44;
  const title = 'What a session costs per request, as a share of what it costs with express-session';
  const versions = `steady-session ${packages['steady-session']}, express-session ${packages['express-session']}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title desc">`,
    `<title id="title">${title}</title>`,
    `<desc id="desc">${escaped(inWords(time, allocations))}</desc>`,
    `<style>${STYLE}\n</style>`,
    `<rect class="back" width="${WIDTH}" height="${height}" rx="6"/>`,
    text(20, 30, title, 'title'),
    legend(),
    ...names.map((name, row) => text(20, TOP + row * ROW + 18, scenarios[name].title)),
    panel(LABELS + 20, 'CPU time', time),
    panel(LABELS + 20 + PANEL + GAP, 'bytes allocated', allocations),
    text(
      20,
      height - 14,
      `${versions}, Node.js ${machine.node}, ${machine.cpu}, ${machine.date}`,
      'small muted',
    ),
    '</svg>',
    '',
  ].join('\n');
}

function legend() {
  const bars = BARS.map(([, style, label], index) => {
    const x = 20 + index * 150;
    return `<rect class="${style}" x="${x}" y="45" width="12" height="12" rx="2"/>${text(x + 18, 56, label, 'small')}`;
  });
  const goal = `<line class="goal" x1="385" x2="385" y1="44" y2="58"/>${text(393, 56, 'goal', 'small')}`;
  const one = `<line class="one" stroke-dasharray="3 3" x1="450" x2="450" y1="44" y2="58"/>${text(458, 56, 'express-session', 'small')}`;
  return [...bars, goal, one].join('\n');
}

function panel(left, title, measured) {
  const x = (ratio) => left + (Math.min(Math.max(ratio, 0), LONGEST) / LONGEST) * PANEL;
  const bottom = TOP + Object.keys(measured).length * ROW;
  const rows = Object.entries(measured).flatMap(([name, subjects], row) => {
    const top = TOP + row * ROW + 2;
    const goal = x(scenarios[name].goal).toFixed(1);
    return [
      ...BARS.map(([subject, style], index) =>
        bar(x, left, top + index * (BAR + 3), subjects[subject].ratio.median, style),
      ),
      `<line class="goal" x1="${goal}" x2="${goal}" y1="${top - 2}" y2="${top + 2 * BAR + 5}"/>`,
    ];
  });
  const one = x(1).toFixed(1);
  return [
    text(left, TOP - 12, title, 'head'),
    ...rows,
    `<line class="one" stroke-dasharray="3 3" x1="${one}" x2="${one}" y1="${TOP - 6}" y2="${bottom}"/>`,
  ].join('\n');
}

function bar(x, left, y, ratio, style) {
  const width = Math.max(x(ratio) - left, 1).toFixed(1);
  const rect = `<rect class="${style}" x="${left}" y="${y}" width="${width}" height="${BAR}" rx="2"/>`;
  return rect + text(x(ratio) + 5, y + 10, ratio.toFixed(2), 'small muted');
}

function inWords(time, allocations) {
  const sentences = Object.keys(time).map((name) => {
    const ratios = ({ [name]: subjects }) =>
      BARS.map(([subject]) => subjects[subject].ratio.median.toFixed(2)).join(' and ');
    return `${scenarios[name].title}: CPU time ${ratios(time)}, bytes ${ratios(allocations)}, goal ${scenarios[name].goal}.`;
  });
  return `Ratios to express-session, by default and with recommended options. ${sentences.join(' ')}`;
}

function text(x, y, content, style) {
  return `<text x="${x.toFixed(0)}" y="${y}"${style ? ` class="${style}"` : ''}>${escaped(content)}</text>`;
}

function escaped(content) {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

module.exports = { chart };
