const NS_PER_MS = 1e6;
const READINGS = 5;

/**
 * Makes a monotonic clock in milliseconds on which all threads of the process agree to some microseconds: `performance.now()`
 * counts from the start of each thread, and this one from the start of the machine.
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
