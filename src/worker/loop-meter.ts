import { performance, type EventLoopUtilization } from 'node:perf_hooks';
import { threadMetrics } from '../telemetry/names.ts';
import type { StatsPage } from '../telemetry/stats-page.ts';

const PERIOD_MS = 1000;

/** Writes once a second how busy the thread's event loop was, and how late it is, into the worker's page. */
export class LoopMeter {
  readonly #timer: NodeJS.Timeout;

  constructor(page: StatsPage, worker: string) {
    const utilization = page.slot(threadMetrics.eventLoopUtilization, { worker });
    const lag = page.slot(threadMetrics.eventLoopLag, { worker });
    let last: EventLoopUtilization = performance.eventLoopUtilization();
    let due = performance.now() + PERIOD_MS;
    this.#timer = setInterval(() => {
      const now = performance.now();
      const current = performance.eventLoopUtilization();
      page.values[utilization] = performance.eventLoopUtilization(current, last).utilization;
      page.values[lag] = Math.max(0, now - due) / 1000;
      last = current;
      due = now + PERIOD_MS;
    }, PERIOD_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
