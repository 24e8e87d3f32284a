// The build to measure: dist/, or the one in STEADY_DIST, so that two states of the source can be compared.
const { join, resolve } = require('node:path');

const directory = resolve(process.env.STEADY_DIST ?? join(__dirname, '../dist'));

module.exports = {
  session: require(directory),
  RedisStore: require(join(directory, 'stores/redis.js')).RedisStore,
};
