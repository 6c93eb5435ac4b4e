import { formatByteSize, parseByteSize } from './byte-size.ts';
import { parseQuantity } from './quantity.ts';

const UNIT_SECONDS = { '/s': 1, '/m': 60, '/h': 3600 } as const;
const BYTE_RATE_SUFFIX = '/s';

/**
 * Parses an event rate: a number and a unit of `/s /m /h` (`100/s`, `30/m`).
 *
 * @param bareUnit unit of a number without one; null to refuse such numbers
 * @returns events per second, possibly fractional; undefined if the text is not a rate
 */
export function parseRate(
  text: string,
  bareUnit: keyof typeof UNIT_SECONDS | null = null,
): number | undefined {
  const quantity = parseQuantity(text);
  if (quantity === undefined) return undefined;
  const unit = quantity.unit === '' ? bareUnit : quantity.unit;
  if (unit === null || !Object.hasOwn(UNIT_SECONDS, unit)) return undefined;
  return quantity.amount / UNIT_SECONDS[unit as keyof typeof UNIT_SECONDS];
}

/** Formats events per second in the first unit that needs no fraction: `100/s`, `90/m`, `1/h`. */
export function formatRate(perSecond: number): string {
  for (const [unit, seconds] of Object.entries(UNIT_SECONDS)) {
    const count = Math.round(perSecond * seconds);
    if (count / seconds === perSecond) return `${count}${unit}`;
  }
  return `${perSecond}/s`;
}

/**
 * Parses a byte rate: a size and `/s` (`512B/s`, `64KiB/s`).
 *
 * @returns whole bytes per second; undefined if the text is not a byte rate
 */
export function parseByteRate(text: string): number | undefined {
  return text.endsWith(BYTE_RATE_SUFFIX) ? parseByteSize(text.slice(0, -BYTE_RATE_SUFFIX.length)) : undefined;
}

/** Formats bytes per second. */
export function formatByteRate(bytesPerSecond: number): string {
  return `${formatByteSize(bytesPerSecond)}${BYTE_RATE_SUFFIX}`;
}
