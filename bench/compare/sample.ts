import type { Result } from '../result/result.ts';

/** Percentiles of a sample's latency curve. */
export const CURVE_PERCENTILES = [1, 10, 25, 50, 75, 90, 95, 97.5, 99, 99.5, 99.9, 99.95, 99.99] as const;

/** One run of a case against one target. Times are in milliseconds. */
export interface Sample {
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  /** Latencies at {@link CURVE_PERCENTILES}. */
  readonly curve: readonly number[];
  /** CPU of the proxy per message or handshake, in microseconds. Null without a proxy. */
  readonly cpu: number | null;
  /** Errors and closed connections. */
  readonly failures: number;
  /** Fraction of connections that resumed a TLS session. Only for cases with `resume`. */
  readonly resumed?: number;
}

/**
 * Converts a run's result to a sample.
 *
 * @param cpuPerMs microseconds of the proxy's CPU per millisecond; null without a proxy
 */
export function sampleOf(result: Result, cpuPerMs: number | null): Sample {
  const { latency } = result.timings;
  const rate = result.messageRates.mean;
  return {
    rate,
    p50: latency.percentile(50),
    p99: latency.percentile(99),
    p999: latency.percentile(99.9),
    curve: CURVE_PERCENTILES.map((percentile) => latency.percentile(percentile)),
    cpu: cpuPerMs === null || rate === 0 ? null : (cpuPerMs * 1000) / rate,
    failures: result.errorCount + result.closeCount,
    ...(result.plan.resume && { resumed: result.resumed / Math.max(1, result.opened) }),
  };
}
