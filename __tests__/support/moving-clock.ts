export interface MovingClock {
  /** From now on, `Date.now()` is so many milliseconds further ahead of the time that passes. */
  advance(ms: number): void;
}

/** Puts a clock that can be moved in the place of `Date.now` in each test of the file. */
export function movingClock(): MovingClock {
  let ahead = 0;
  beforeEach(() => {
    const now = Date.now;
    ahead = 0;
    jest.spyOn(Date, 'now').mockImplementation(() => now() + ahead);
  });
  afterEach(() => jest.restoreAllMocks());
  return {
    advance(ms) {
      ahead += ms;
    },
  };
}
