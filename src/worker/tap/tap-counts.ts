import { pageMetrics } from '../../telemetry/metrics/page-metrics.ts';
import { TAP_LOSSES, type TapLoss } from '../../telemetry/metrics/label-values.ts';
import type { StatsPage } from '../../telemetry/stats-page.ts';
import type { TapCounters } from './tap-state.ts';

/** Counts the frames that taps show and lose, in the worker's stats page. */
export class TapCounts implements TapCounters {
  readonly #values: Float64Array;
  readonly #shown: number;
  readonly #lost: ReadonlyMap<TapLoss, number>;

  constructor(page: StatsPage) {
    this.#values = page.values;
    this.#shown = page.slot(pageMetrics.tapFrames, {});
    this.#lost = new Map(
      TAP_LOSSES.map((reason) => [reason, page.slot(pageMetrics.tapFramesLost, { reason })]),
    );
  }

  shown(): void {
    this.#values[this.#shown]! += 1;
  }

  lost(reason: TapLoss, frames: number): void {
    this.#values[this.#lost.get(reason)!]! += frames;
  }
}
