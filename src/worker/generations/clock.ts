/** The time by which a worker waits for listeners and connections to end. */
export interface Clock {
  /** Milliseconds from any beginning; never goes back. */
  now(): number;
  /** Calls back once. */
  delay(ms: number, callback: () => void): void;
}

export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  delay: (ms, callback) => void setTimeout(callback, ms),
};
