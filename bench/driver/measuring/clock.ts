const OFFSET_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/**
 * Returns milliseconds on the machine's monotonic clock, with microsecond resolution. All threads share this
 * clock, unlike `performance.now()`, which starts with its thread.
 */
export function monotonicNow(): number {
  return performance.now() + OFFSET_MS;
}
