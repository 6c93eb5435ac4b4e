const OFFSET_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/**
 * Milliseconds on the machine's monotonic clock, to a microsecond: the same clock in every thread, which
 * `performance.now()`, that begins with its thread, is not.
 */
export function monotonicNow(): number {
  return performance.now() + OFFSET_MS;
}
