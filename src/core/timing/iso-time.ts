/** The latest moment that a Date can have (ECMA-262 section 21.4.1.1), in milliseconds since 1970. */
const MAX_DATE_MS = 8.64e15;

/**
 * Writes a moment in ISO 8601, in UTC. A later one than a Date can have becomes the latest: a token may expire at any number.
 *
 * @param ms since 1970, not NaN
 */
export function isoTime(ms: number): string {
  return new Date(Math.max(-MAX_DATE_MS, Math.min(ms, MAX_DATE_MS))).toISOString();
}

/** Reads a moment in ISO 8601: milliseconds since 1970; null for another text. */
export function parseIsoTime(text: string): number | null {
  const ms = /^[+-]?\d{4,6}-\d\d-\d\dT/.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(ms) ? null : ms;
}
