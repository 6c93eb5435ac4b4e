/** The parameters of admin commands, written as in the configuration. */
import { formatDuration, parseDuration } from '../../../core/units/duration.ts';
import { formatRate, parseRate } from '../../../core/units/rate.ts';

/** A parameter of the query cannot be used; the message names it and says what to write. */
export class ParameterError extends Error {
  override readonly name = 'ParameterError';
}

interface RateRange {
  /** Per second. */
  readonly min: number;
  readonly max: number;
}

/**
 * Reads a rate of connections; a number without a unit is per second.
 *
 * @returns connections per second, or null if the query has no such parameter
 * @throws ParameterError for a rate outside of the range
 */
export function rateOf(query: URLSearchParams, key: string, { min, max }: RateRange): number | null {
  const text = query.get(key);
  if (text === null) return null;
  const perSecond = parseRate(text, '/s');
  if (perSecond !== undefined && perSecond >= min && perSecond <= max) return perSecond;
  const range = min === 0 ? `up to ${formatRate(max)}` : `from ${formatRate(min)} to ${formatRate(max)}`;
  throw new ParameterError(`${key}: write a number and a unit, such as 100/s, ${range}`);
}

/**
 * Reads a duration.
 *
 * @returns milliseconds, or null if the query has no such parameter
 * @throws ParameterError for a longer duration than `maxMs`
 */
export function durationOf(query: URLSearchParams, key: string, maxMs: number): number | null {
  const text = query.get(key);
  if (text === null) return null;
  const ms = parseDuration(text);
  if (ms !== undefined && ms <= maxMs) return ms;
  throw new ParameterError(`${key}: write a number and a unit, such as 5m, up to ${formatDuration(maxMs)}`);
}
