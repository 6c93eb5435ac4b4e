import { Backoff, type BackoffLimits } from '../../../core/timing/backoff.ts';

/**
 * A replacement that sticks within this time of its start continues the series: the next one waits longer.
 */
const STEADY_MS = 60_000;
/** Min number of stuck threads that can be left behind, if layer 7 has fewer workers. */
const MIN_LEFT_BEHIND = 2;
const BACKOFF: BackoffLimits = { firstMs: 2000, maxMs: 60_000 };

/**
 * Decides when to replace a stuck worker: at once the first time, then after growing delays. Does not replace
 * it while the max number of threads is left behind: each keeps its memory, and maybe a core.
 */
export class ReplacementPolicy {
  readonly #random: () => number;
  readonly #histories = new Map<string, { readonly backoff: Backoff; startsAt: number }>();

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /**
   * Plans the replacement of a worker that is stuck now.
   *
   * @param leftBehind number of threads left behind before this one
   * @param workers number of layer 7 workers
   * @returns milliseconds until the replacement starts; null for no replacement
   */
  plan(worker: string, now: number, leftBehind: number, workers: number): number | null {
    if (leftBehind >= Math.max(MIN_LEFT_BEHIND, workers)) return null;
    const history = this.#histories.get(worker);
    if (history === undefined) {
      this.#histories.set(worker, { backoff: new Backoff(BACKOFF, this.#random), startsAt: now });
      return 0;
    }
    const steady = now - history.startsAt >= STEADY_MS;
    if (steady) history.backoff.reset();
    const delayMs = steady ? 0 : Math.round(history.backoff.next());
    history.startsAt = now + delayMs;
    return delayMs;
  }
}
