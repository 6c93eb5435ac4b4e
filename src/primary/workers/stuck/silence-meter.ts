/**
 * Measures how long each worker has been silent, by looks at their beats at a fixed period. Time before a late look does
 * not count: if the machine was suspended, the process was stopped, or the primary was busy, the workers may have had no
 * chance to beat.
 */
export class SilenceMeter<K> {
  readonly #periodMs: number;
  #lookedAt: number | null = null;
  #silences = new Map<K, { readonly beats: number; readonly ms: number }>();

  /** @param periodMs between two looks; a look after more than twice the period is late */
  constructor(periodMs: number) {
    this.#periodMs = periodMs;
  }

  /**
   * Takes a look.
   *
   * @param now milliseconds on a monotonic clock
   * @param beats the beats of each worker since its start; a worker that is missing is forgotten
   * @returns the silence of each worker, in milliseconds
   */
  look(now: number, beats: ReadonlyMap<K, number>): ReadonlyMap<K, number> {
    const elapsed = now - (this.#lookedAt ?? now);
    const counted = elapsed <= 2 * this.#periodMs ? elapsed : 0;
    this.#lookedAt = now;
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
