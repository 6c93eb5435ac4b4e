const NS_PER_MS = 1e6;
const READINGS = 5;

/**
 * Creates a monotonic clock in milliseconds on which all threads of the process agree within microseconds. It
 * starts with the machine, while `performance.now()` starts with each thread.
 */
export function processClock(): () => number {
  let offset = Infinity;
  // A pause between the two readings makes the difference larger, never smaller.
  for (let reading = 0; reading < READINGS; reading++) {
    const own = performance.now();
    offset = Math.min(offset, Number(process.hrtime.bigint()) / NS_PER_MS - own);
  }
  return () => performance.now() + offset;
}
