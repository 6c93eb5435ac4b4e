/** What the page knows of time and chance. Tests have another one. */
export interface Clock {
  /** Milliseconds since some moment; never goes back. */
  now(): number;
  /** Calls back once. Returns what cancels the call. */
  after(ms: number, callback: () => void): () => void;
  /** Returns a number from 0 to 1, without 1. */
  random(): number;
}

/** Returns the clock of the browser. */
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
