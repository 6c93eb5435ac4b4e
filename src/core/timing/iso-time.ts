/** Latest time that a Date can represent (ECMA-262 section 21.4.1.1), in milliseconds since 1970. */
const MAX_DATE_MS = 8.64e15;

/**
 * Formats a time in ISO 8601, in UTC. Times beyond the range of Date are clamped: a token may have any
 * expiry.
 *
 * @param ms milliseconds since 1970, not NaN
 */
export function isoTime(ms: number): string {
  return new Date(Math.max(-MAX_DATE_MS, Math.min(ms, MAX_DATE_MS))).toISOString();
}

/** Parses an ISO 8601 time into milliseconds since 1970; null for other text. */
export function parseIsoTime(text: string): number | null {
  const ms = /^[+-]?\d{4,6}-\d\d-\d\dT/.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(ms) ? null : ms;
}
