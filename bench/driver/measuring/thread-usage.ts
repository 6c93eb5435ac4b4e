import { readFileSync } from 'node:fs';
import { monotonicNow } from './clock.ts';

/** Measures how busy the calling thread is. */
export class ThreadUsage {
  #at = monotonicNow();
  #ranMs = ranMs();
  #loop = performance.eventLoopUtilization();

  /** Restarts the measurement. */
  begin(): void {
    this.#at = monotonicNow();
    this.#ranMs = ranMs();
    this.#loop = performance.eventLoopUtilization();
  }

  /**
   * Returns the fraction of the time since the start in which the thread ran, 0 to 1. If the kernel does not
   * count it, returns the fraction in which the event loop was active.
   */
  busy(): number {
    const ran = ranMs();
    if (ran === null || this.#ranMs === null) {
      return performance.eventLoopUtilization(performance.eventLoopUtilization(), this.#loop).utilization;
    }
    const elapsed = monotonicNow() - this.#at;
    return elapsed > 0 ? Math.min(1, (ran - this.#ranMs) / elapsed) : 0;
  }
}

/**
 * Returns the CPU time of this thread in milliseconds, from the scheduler. Null if the kernel does not count
 * it.
 */
function ranMs(): number | null {
  try {
    const [nanoseconds = ''] = readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ');
    return Number(nanoseconds) / 1e6;
  } catch {
    return null;
  }
}
