import { UsageError } from '../../src/core/errors.ts';
import { parseByteSize } from '../../src/core/units/byte-size.ts';
import { parseFineDuration } from '../../src/core/units/duration.ts';

/** Distributions of times that a run measures. */
export const TIMINGS = ['latency', 'lateness', 'connect', 'tls', 'handshake'] as const;
export type Timing = (typeof TIMINGS)[number];

const TOTALS = ['rate', 'bytes', 'messages', 'errors', 'closes', 'unsolicited'] as const;
type Total = (typeof TOTALS)[number];

/** A figure of a distribution of times. */
export type Statistic =
  | { readonly kind: 'percentile'; readonly percentile: number }
  | { readonly kind: 'mean' | 'min' | 'max' | 'deviation' };

export type Metric =
  | { readonly kind: 'timing'; readonly timing: Timing; readonly statistic: Statistic }
  | { readonly kind: 'total'; readonly total: Total };

/** A condition that a run must meet. */
export interface Assertion {
  /** The assertion as written on the command line. */
  readonly text: string;
  readonly metric: Metric;
  readonly operator: '<' | '<=' | '>' | '>=' | '=';
  /** Milliseconds for times, bytes per second for `bytes`, a plain number otherwise. */
  readonly value: number;
}

/**
 * Parses an assertion such as `p99<5ms`, `handshake.max <= 1s`, `rate>100000` or `errors=0`.
 *
 * @throws UsageError in one line that says what to write
 */
export function parseAssertion(text: string): Assertion {
  const match = /^\s*([a-z0-9.]+)\s*(<=|>=|<|>|=)\s*([\w.µ]+)\s*$/.exec(text);
  if (match === null) throw new UsageError(`--assert ${text}: write it as in --assert 'p99<5ms'`);
  const metric = parseMetric(match[1]!);
  if (metric === undefined) {
    throw new UsageError(
      `--assert ${text}: "${match[1]!}" is not known; there are pN, mean, min, max, deviation (also as in ` +
        `handshake.p99), ${TOTALS.join(', ')}`,
    );
  }
  const value = parseValue(metric, match[3]!);
  if (value === undefined) {
    const wanted =
      metric.kind === 'timing' ? 'a time such as 500us, 5ms or 1s' : 'a number such as 0 or 100000';
    throw new UsageError(`--assert ${text}: "${match[3]!}" is not ${wanted}`);
  }
  return { text, metric, operator: match[2] as Assertion['operator'], value };
}

function parseMetric(text: string): Metric | undefined {
  const total = TOTALS.find((name) => name === text);
  if (total !== undefined) return { kind: 'total', total };
  const timing = TIMINGS.find((name) => text.startsWith(`${name}.`)) ?? 'latency';
  const rest = text.startsWith(`${timing}.`) ? text.slice(timing.length + 1) : text;
  const statistic = parseStatistic(rest);
  return statistic === undefined ? undefined : { kind: 'timing', timing, statistic };
}

function parseStatistic(text: string): Statistic | undefined {
  const match = /^p(\d{1,3}(?:\.\d+)?)$/.exec(text);
  if (match !== null) {
    const percentile = Number(match[1]);
    return percentile <= 100 ? { kind: 'percentile', percentile } : undefined;
  }
  for (const kind of ['mean', 'min', 'max', 'deviation'] as const) if (text === kind) return { kind };
  return undefined;
}

function parseValue(metric: Metric, text: string): number | undefined {
  if (metric.kind === 'total') {
    if (metric.total === 'bytes') return parseByteSize(text);
    return /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined;
  }
  return parseFineDuration(text);
}
