/** The page's source of time and randomness. Tests use a fake one. */
export interface Clock {
  /** Milliseconds on a monotonic clock. */
  now(): number;
  /** Calls back once. Returns a function that cancels the call. */
  after(ms: number, callback: () => void): () => void;
  /** Returns a number in [0, 1). */
  random(): number;
}

/** Returns the browser's clock. */
export function browserClock(): Clock {
  return {
    now: () => performance.now(),
    after: (ms, callback) => {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    },
    random: Math.random,
  };
}
