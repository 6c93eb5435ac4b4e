import { readFileSync } from 'node:fs';
import { monotonicNow } from './clock.ts';

/** How busy the calling thread is. */
export class ThreadUsage {
  #at = monotonicNow();
  #ranMs = ranMs();
  #loop = performance.eventLoopUtilization();

  /** Begins again. */
  begin(): void {
    this.#at = monotonicNow();
    this.#ranMs = ranMs();
    this.#loop = performance.eventLoopUtilization();
  }

  /**
   * Returns the fraction of the time since the start, 0 to 1, in which the thread ran. Without this figure
   * from the kernel, returns the fraction in which its event loop was active.
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

/** Reads the CPU that the scheduler has given this thread, in milliseconds; null if it keeps no count. */
function ranMs(): number | null {
  try {
    const [nanoseconds = ''] = readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ');
    return Number(nanoseconds) / 1e6;
  } catch {
    return null;
  }
}
