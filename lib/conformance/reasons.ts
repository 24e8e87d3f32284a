/** What goes wrong in an app, where several concerns have the same to say. */

export const RESURRECTION = 'a request that was still running at the logout would bring the session back.';
export const REVIVED = 'a slow request would bring back a session that has ended.';
export const NO_ERROR = 'error handlers and logs of the app make nothing of something else.';
