import session from './index.js';

export default session;
export * from './api.js';
