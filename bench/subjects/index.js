// The subjects. Each has `middleware(options)`, with a `store` beside it if it keeps sessions in memory, or is a whole
// `listener(work, options)` if it is no middleware. `fits(scenario)` is false where it can't do the same work.
const { appWith } = require('./app.js');

const files = {
  bare: './bare.js',
  'express-session': './express-session.js',
  'express-session again': './express-session.js',
  'steady-session': './steady-session.js',
  'steady-session recommended': './recommended.js',
  memorystore: './memorystore.js',
  'cookie-session': './cookie-session.js',
  'iron-session': './iron-session.js',
};

/** Loads one subject and not the others: a process runs only one, and starts the sooner. */
function subjectOf(name) {
  return require(files[name]);
}

/** What everything is compared with; to itself, too, in a second process, to show how far a ratio can be trusted. */
const REFERENCE = 'express-session';
const REFERENCE_AGAIN = 'express-session again';
const OURS = 'steady-session';
const OURS_RECOMMENDED = 'steady-session recommended';

/** A subject's app: `{ listener, store }`. Requests do `work.visit(session)`, which may be another one each time. */
function create(name, work, options) {
  const subject = subjectOf(name);
  if (subject.listener) return { listener: subject.listener(work, options) };
  const { middleware, store } = subject.create(options);
  return { listener: appWith(middleware, work), store };
}

/** Those of the `wanted` subjects (by default all) that fit, and those without which there is no ratio. */
function namesFor(scenario, wanted) {
  const fitting = Object.keys(files).filter((name) => subjectOf(name).fits?.(scenario) ?? true);
  return fitting.filter((name) => name === 'bare' || name === REFERENCE || (wanted?.includes(name) ?? true));
}

module.exports = { subjectOf, create, namesFor, REFERENCE, REFERENCE_AGAIN, OURS, OURS_RECOMMENDED };
