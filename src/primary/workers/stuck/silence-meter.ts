/**
 * Measures how long each worker has been silent, by sampling beats at a fixed period. Time before a late
 * sample does not count: the workers may have had no chance to beat. The machine may have been suspended, the
 * process stopped, or the primary busy.
 */
export class SilenceMeter<K> {
  readonly #periodMs: number;
  #sampledAt: number | null = null;
  #silences = new Map<K, { readonly beats: number; readonly ms: number }>();

  /** @param periodMs time between two samples. A sample after more than twice the period is late */
  constructor(periodMs: number) {
    this.#periodMs = periodMs;
  }

  /**
   * Takes a sample.
   *
   * @param now milliseconds on a monotonic clock
   * @param beats number of beats of each worker since its start. A missing worker is forgotten
   * @returns the silence of each worker in milliseconds
   */
  sample(now: number, beats: ReadonlyMap<K, number>): ReadonlyMap<K, number> {
    const elapsed = now - (this.#sampledAt ?? now);
    const counted = elapsed <= 2 * this.#periodMs ? elapsed : 0;
    this.#sampledAt = now;
    const before = this.#silences;
    this.#silences = new Map();
    const silent = new Map<K, number>();
    for (const [key, count] of beats) {
      const last = before.get(key);
      const ms = last?.beats === count ? last.ms + counted : 0;
      this.#silences.set(key, { beats: count, ms });
      silent.set(key, ms);
    }
    return silent;
  }
}
