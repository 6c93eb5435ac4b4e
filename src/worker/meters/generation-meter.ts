import { threadMetrics } from '../../telemetry/metrics/page-metrics.ts';
import type { StatsPage } from '../../telemetry/stats-page.ts';

const PERIOD_MS = 1000;

/** A worker's current generation, and the live parts of older ones. */
interface GenerationCounts {
  readonly generation: number;
  /** Sessions and tunnels of older generations. */
  readonly connections: number;
  /** The oldest generation with live parts. */
  readonly oldest: number;
}

/** Writes the worker's generation and the live parts of older ones into its stats page, once a second. */
export class GenerationMeter {
  readonly #values: Float64Array;
  readonly #slots: readonly [generation: number, connections: number, oldest: number];
  readonly #count: () => GenerationCounts;
  readonly #timer: NodeJS.Timeout;

  constructor(page: StatsPage, worker: string, count: () => GenerationCounts) {
    this.#values = page.values;
    this.#slots = [
      page.slot(threadMetrics.generation, { worker }),
      page.slot(threadMetrics.olderConnections, { worker }),
      page.slot(threadMetrics.oldestGeneration, { worker }),
    ];
    this.#count = count;
    this.#timer = setInterval(() => this.write(), PERIOD_MS);
    this.write();
  }

  write(): void {
    const { generation, connections, oldest } = this.#count();
    this.#set(generation, connections, oldest);
  }

  /** Stops, and clears the values: another worker of the same name may write them now. */
  stop(): void {
    clearInterval(this.#timer);
    this.#set(0, 0, 0);
  }

  #set(...values: readonly [number, number, number]): void {
    for (const [index, slot] of this.#slots.entries()) this.#values[slot] = values[index]!;
  }
}
