/** Counts per second of a run. */
export interface Rates {
  /** Mean over the whole measured time. */
  readonly mean: number;
  readonly deviation: number;
  readonly least: number;
  /** Percentiles of the rates of all seconds: 1%, 2.5%, 50% and 97.5%. */
  readonly percentiles: Readonly<Record<'p1' | 'p2.5' | 'p50' | 'p97.5', number>>;
}

/**
 * Computes the rates of a run.
 *
 * @param parts counts per second from the same start, one array per thread
 * @param measuredMs measured time; an incomplete last second counts only for the mean
 */
export function ratesOf(parts: readonly Float64Array[], measuredMs: number): Rates {
  const whole = Math.floor(measuredMs / 1000);
  const sums = new Float64Array(Math.max(0, ...parts.map((part) => part.length)));
  for (const part of parts)
    for (let second = 0; second < part.length; second++) sums[second]! += part[second]!;
  const mean = measuredMs > 0 ? sums.reduce((sum, count) => sum + count, 0) / (measuredMs / 1000) : 0;
  // A run shorter than a second has only one rate.
  const seconds = whole > 0 ? sums.slice(0, whole).sort() : Float64Array.of(mean);
  const at = (percentile: number): number =>
    seconds[Math.max(0, Math.ceil((percentile / 100) * seconds.length) - 1)]!;
  const average = seconds.reduce((sum, count) => sum + count, 0) / seconds.length;
  const variance = seconds.reduce((sum, count) => sum + (count - average) ** 2, 0) / seconds.length;
  return {
    mean,
    deviation: Math.sqrt(variance),
    least: seconds[0]!,
    percentiles: { p1: at(1), 'p2.5': at(2.5), p50: at(50), 'p97.5': at(97.5) },
  };
}
