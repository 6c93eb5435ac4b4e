import { PinnedBuffer, addressWithin } from './memory/pinned-buffer.ts';
import { nativeCalls } from './native-calls.ts';

const CLOCK_THREAD_CPUTIME_ID = 3;
/** Size of `struct timespec` on 64-bit Linux: seconds, and nanoseconds at offset 8. */
const TIMESPEC_BYTES = 16;
const MS_PER_SECOND = 1000;
const NS_PER_MS = 1e6;
/** Linux may add a thread's time to getrusage(2) once per timer interrupt: 100 to 1,000 a second. */
const MAX_TICK_MS = 10;

/** CPU time of the calling thread. */
export interface ThreadCpuClock {
  /** Returns milliseconds. Must be called by the thread that created the clock. */
  readonly now: () => number;
  /** Max error of the difference of two readings, in milliseconds. */
  readonly maxErrorMs: number;
}

/**
 * Creates the most precise clock of this thread's CPU time: clock_gettime(2), which is exact, or Node's
 * getrusage(2), which may lag by a timer interrupt.
 */
export function threadCpuClock(): ThreadCpuClock {
  const now = preciseClock();
  return now === null ? { now: coarseTime, maxErrorMs: MAX_TICK_MS } : { now, maxErrorMs: 0 };
}

/** Returns null if system calls are not supported. */
function preciseClock(): (() => number) | null {
  try {
    const { clockTime } = nativeCalls();
    const time = new PinnedBuffer(TIMESPEC_BYTES);
    const address = addressWithin(time, 0, TIMESPEC_BYTES);
    const view = new DataView(time.bytes.buffer);
    const now = (): number => {
      clockTime(CLOCK_THREAD_CPUTIME_ID, address);
      return view.getUint32(0, true) * MS_PER_SECOND + view.getUint32(8, true) / NS_PER_MS;
    };
    return clockTime(CLOCK_THREAD_CPUTIME_ID, address) === 0 ? now : null;
  } catch {
    return null;
  }
}

function coarseTime(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
