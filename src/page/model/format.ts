/** Formats numbers and times briefly enough to compare them. */

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;
/** Placeholder for an unknown value. */
export const NONE = '–';

/** Formats a count: 950, 12,300, 4.57M. */
export function count(value: number | null): string {
  if (value === null) return NONE;
  if (value >= 1e9) return `${(value / 1e9).toFixed(2)}G`;
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)}M`;
  return Math.round(value).toLocaleString('en-US');
}

/** Formats a rate per second: 0, 0.4, 37, 12,300. */
export function rate(value: number | null): string {
  if (value === null) return NONE;
  if (value > 0 && value < 10) return value < 0.1 ? '<0.1' : value.toFixed(1);
  return count(value);
}

/** Formats bytes in a binary unit: 0 B, 4.2 KiB, 512 MiB. */
export function bytes(value: number | null): string {
  if (value === null) return NONE;
  let unit = 0;
  let amount = value;
  while (amount >= 1000 && unit < BYTE_UNITS.length - 1) {
    amount /= 1024;
    unit++;
  }
  return `${unit === 0 ? Math.round(amount) : threeDigits(amount)} ${BYTE_UNITS[unit]!}`;
}

/** Formats a short time: 80 µs, 1.25 ms, 3.2 s. */
export function latency(seconds: number | null): string {
  if (seconds === null) return NONE;
  if (seconds === 0) return '0 ms';
  if (seconds < 0.001) return `${Math.max(1, Math.round(seconds * 1e6))} µs`;
  if (seconds < 1) return `${threeDigits(seconds * 1000)} ms`;
  return `${threeDigits(seconds)} s`;
}

/** Formats a duration in up to two units: 45s, 12m 05s, 3d 04h. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number): string => String(value).padStart(2, '0');
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${two(whole % 60)}s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)}h ${two(Math.floor(whole / 60) % 60)}m`;
  return `${Math.floor(whole / 86_400)}d ${two(Math.floor(whole / 3600) % 24)}h`;
}

/** Formats a fraction as percent. */
export function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}

/** Formats the time since a moment; {@link NONE} for an invalid time. @param nowMs since 1970 */
export function ago(iso: string, nowMs: number): string {
  const ms = Date.parse(iso);
  return Number.isNaN(ms) ? NONE : duration((nowMs - ms) / 1000);
}

/** Returns the whole days until a moment, negative if it is past. Null for an invalid time. */
export function daysUntil(iso: string, nowMs: number): number | null {
  const ms = Date.parse(iso);
  return Number.isNaN(ms) ? null : Math.floor((ms - nowMs) / 86_400_000);
}

/** Formats a number with its noun: 1 session, 2 sessions. */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

function threeDigits(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
