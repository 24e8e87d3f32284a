// What is asked of Redis, and what it may cost.

/** `goal`: the most commands that a request of ours may cost. `own`: options that express-session doesn't have. */
const cases = {
  read: { title: 'read', scenario: 'read', goal: 1 },
  touchAfter: { title: 'read, `touchAfter`', scenario: 'read', own: { touchAfter: 60_000 }, goal: 1 },
  change: { title: 'one value changed', scenario: 'change', goal: 2 },
  login: { title: 'login', scenario: 'login', goal: 3 },
  'large-read': { title: '50 KB session, read', scenario: 'large-read', goal: 1 },
  'large-change': { title: '50 KB session, one value changed', scenario: 'large-change', goal: 2 },
};

module.exports = { cases };
