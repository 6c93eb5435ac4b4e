import type { CrowdLog } from './crowd/protocol.ts';

/** Points of a line: seconds since the fault, and a value. */
export type Timeline = readonly (readonly [seconds: number, value: number])[];

/**
 * Returns the number of open sessions every `stepMs` in [from, until]. Second 0 is at `zero`.
 *
 * @param log openings and endings, sorted by time
 */
export function openOverTime(
  { opens, ends }: Pick<CrowdLog, 'opens' | 'ends'>,
  { from, until, zero, stepMs }: Span,
): Timeline {
  const points: (readonly [number, number])[] = [];
  for (let at = from; at <= until; at += stepMs) {
    const open = opens.filter((one) => one.at <= at).length - ends.filter((one) => one.at <= at).length;
    points.push([roundTo((at - zero) / 1000, 3), open]);
  }
  return points;
}

/** Returns the 99th percentile of the latency of messages due in each step. Omits steps without messages. */
export function p99OverTime(waits: Float64Array, { from, until, zero, stepMs }: Span): Timeline {
  const points: (readonly [number, number])[] = [];
  for (let at = from; at < until; at += stepMs) {
    const value = percentileBetween(waits, 99, at, at + stepMs);
    if (value !== null) points.push([roundTo((at - zero) / 1000, 3), roundTo(value, 4)]);
  }
  return points;
}

/** Start and end on the monotonic clock, in milliseconds. */
export interface Span {
  readonly from: number;
  readonly until: number;
  /** The time that counts as second 0. */
  readonly zero: number;
  readonly stepMs: number;
}

/** Returns a percentile of the latencies of messages due in [from, until); null without messages. */
export function percentileBetween(
  waits: Float64Array,
  percentile: number,
  from: number,
  until: number,
): number | null {
  const values: number[] = [];
  for (let index = 0; index < waits.length; index += 2) {
    if (waits[index]! >= from && waits[index]! < until) values.push(waits[index + 1]!);
  }
  return values.length === 0 ? null : percentileOf(values, percentile);
}

/**
 * Returns a percentile by nearest rank: the smallest value that is at least as large as this percentage of
 * all values.
 *
 * @param values at least one
 */
export function percentileOf(values: readonly number[], percentile: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percentile / 100) * sorted.length) - 1)]!;
}

function roundTo(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
