import { parseQuantity, roundUpFromZero } from './quantity.ts';

const UNITS_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;
const FINE_UNITS_MS = { ...UNITS_MS, us: 1e-3, µs: 1e-3 } as const;

/**
 * Max duration of a setting. Node's timers fire at once beyond 2^31 ms (24.8 days), and session lifetimes are
 * spread by 10%.
 */
export const MAX_DURATION_MS = 20 * UNITS_MS.d;

/**
 * Parses a duration: a number and a unit of `ms s m h d` (`250ms`, `1.5s`), or a bare 0.
 *
 * @param bareUnit unit of a number without one; null to refuse such numbers
 * @returns whole milliseconds, at least 1 unless the number is 0; undefined if the text is not a duration
 */
export function parseDuration(
  text: string,
  bareUnit: keyof typeof UNITS_MS | null = null,
): number | undefined {
  if (text === '0') return 0;
  const ms = toMilliseconds(text, UNITS_MS, bareUnit);
  return ms === undefined ? undefined : roundUpFromZero(ms);
}

/** Parses a duration like {@link parseDuration}, also in `us` or `µs`, into fractional milliseconds. */
export function parseFineDuration(text: string): number | undefined {
  return toMilliseconds(text, FINE_UNITS_MS, null);
}

/** Formats milliseconds in the largest unit without a fraction: 90000 is `90s`, 120000 is `2m`, 0 is `0s`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (ms % UNITS_MS[unit] === 0) return `${ms / UNITS_MS[unit]}${unit}`;
  }
  return `${ms}ms`;
}

function toMilliseconds(
  text: string,
  units: Readonly<Record<string, number>>,
  bareUnit: string | null,
): number | undefined {
  const quantity = parseQuantity(text);
  if (quantity === undefined) return undefined;
  const unit = quantity.unit === '' ? bareUnit : quantity.unit;
  return unit !== null && Object.hasOwn(units, unit) ? quantity.amount * units[unit]! : undefined;
}
