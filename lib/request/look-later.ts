import { unref } from '../timers.js';

/** How long after a response its session is looked at again, in milliseconds. */
const LATER = 1000;

/** Of very many requests, it is enough to look at some. */
const MOST = 100;

let looks: (() => void)[] = [];

/** Calls back in a while: one timer for all, since one for each request would cost more than the request's session. */
export function lookLater(look: () => void): void {
  if (looks.length === 0) unref(setTimeout(lookNow, LATER));
  if (looks.length < MOST) looks.push(look);
}

function lookNow(): void {
  const due = looks;
  looks = [];
  for (const look of due) {
    try {
      look();
    } catch {} // what can't even be looked at has nothing to tell, and nobody to tell it to
  }
}
