import type { Assertion, Metric } from '../options/assertion.ts';
import type { Result } from './result.ts';

/** The result of an assertion. */
export interface Verdict {
  readonly assertion: Assertion;
  /** The measured value: milliseconds or a plain number. Null if nothing was measured. */
  readonly actual: number | null;
  readonly holds: boolean;
}

/** Judges an assertion. An assertion about times fails if nothing was timed. */
export function judge(result: Result, assertion: Assertion): Verdict {
  const actual = valueOf(result, assertion.metric);
  return { assertion, actual, holds: actual !== null && compare(actual, assertion) };
}

function valueOf(result: Result, metric: Metric): number | null {
  if (metric.kind === 'timing') {
    const timing = result.timings[metric.timing];
    return timing.count === 0 ? null : timing.read(metric.statistic);
  }
  switch (metric.total) {
    case 'rate':
      return result.messageRates.mean;
    case 'bytes':
      return result.byteRates.mean;
    case 'messages':
      return result.messages;
    case 'errors':
      return result.errorCount;
    case 'closes':
      return result.closeCount;
    case 'unsolicited':
      return result.unsolicited;
  }
}

function compare(actual: number, { operator, value }: Assertion): boolean {
  switch (operator) {
    case '<':
      return actual < value;
    case '<=':
      return actual <= value;
    case '>':
      return actual > value;
    case '>=':
      return actual >= value;
    case '=':
      return actual === value;
  }
}
