/** Formats numbers for people. */

/** Formats a duration in the unit that leaves one to three digits before the point: `83.2 µs`, `1.24 ms`. */
export function formatTime(ms: number): string {
  if (ms === 0) return '0';
  if (ms < 0.9995) return `${threeDigits(ms * 1000)} µs`;
  if (ms < 999.5) return `${threeDigits(ms)} ms`;
  return ms < 99_950 ? `${threeDigits(ms / 1000)} s` : `${Math.round(ms / 1000)} s`;
}

/** Formats a count with thousands separators. Fractions below 100 keep one digit after the point. */
export function formatCount(count: number): string {
  if (count !== 0 && Math.abs(count) < 100 && !Number.isInteger(count)) return count.toFixed(1);
  return Math.round(count)
    .toString()
    .replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** Formats bytes in a decimal unit, as for networks: `1.28 MB`. */
export function formatBytes(bytes: number): string {
  for (const [unit, size] of [
    ['GB', 1e9],
    ['MB', 1e6],
    ['kB', 1e3],
  ] as const) {
    if (bytes >= size * 0.9995) return `${threeDigits(bytes / size)} ${unit}`;
  }
  return `${formatCount(bytes)} B`;
}

function threeDigits(value: number): string {
  if (value >= 99.95) return value.toFixed(0);
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}
