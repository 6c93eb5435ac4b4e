import { performance, type EventLoopUtilization } from 'node:perf_hooks';
import { threadMetrics } from '../../telemetry/metrics/page-metrics.ts';
import type { StatsPage } from '../../telemetry/stats-page.ts';

const PERIOD_MS = 1000;

/** A loop that the thread waits in instead of Node's event loop, and which gives Node its turns. */
export interface InnerLoop {
  /** Milliseconds that the loop has waited since its start. */
  readonly waitedMs: number;
  /** Returns the max lateness of a tick since the last call, in milliseconds. */
  takeLatenessMs(): number;
}

/** Writes the utilization and lag of the thread's event loop into the worker's stats page, once a second. */
export class LoopMeter {
  readonly #timer: NodeJS.Timeout;
  readonly #values: Float64Array;
  readonly #slots: readonly [utilization: number, lag: number];

  /** @param thread has the loop that the thread waits in; null for Node's */
  constructor(page: StatsPage, worker: string, thread: { readonly innerLoop: InnerLoop | null }) {
    const utilization = page.slot(threadMetrics.eventLoopUtilization, { worker });
    const lag = page.slot(threadMetrics.eventLoopLag, { worker });
    this.#values = page.values;
    this.#slots = [utilization, lag];
    let last: EventLoopUtilization = performance.eventLoopUtilization();
    let waited = thread.innerLoop?.waitedMs ?? 0;
    let due = performance.now() + PERIOD_MS;
    this.#timer = setInterval(() => {
      const inner = thread.innerLoop;
      const now = performance.now();
      const current = performance.eventLoopUtilization();
      const { active, idle } = performance.eventLoopUtilization(current, last);
      // Node counts all time in the inner loop as busy, including its waits.
      const busy = Math.max(0, active - ((inner?.waitedMs ?? 0) - waited));
      page.values[utilization] = active + idle > 0 ? Math.min(1, busy / (active + idle)) : 0;
      page.values[lag] = (inner === null ? Math.max(0, now - due) : inner.takeLatenessMs()) / 1000;
      last = current;
      waited = inner?.waitedMs ?? 0;
      due = now + PERIOD_MS;
    }, PERIOD_MS);
  }

  /** Stops, and clears the values: another worker of the same name may write them now. */
  stop(): void {
    clearInterval(this.#timer);
    for (const slot of this.#slots) this.#values[slot] = 0;
  }
}
