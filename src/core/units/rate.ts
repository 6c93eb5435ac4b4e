import { formatByteSize, parseByteSize } from './byte-size.ts';
import { parseQuantity } from './quantity.ts';

const UNITS_PER_SECOND = { '/s': 1, '/m': 60, '/h': 3600 } as const;
const BYTE_RATE_SUFFIX = '/s';

/**
 * Reads a rate of events: a number and a unit of `/s /m /h` (`100/s`, `30/m`).
 *
 * @param bareUnit the unit of a number without one; null to refuse such a number
 * @returns events per second, with their fraction; undefined if the text is not a rate
 */
export function parseRate(
  text: string,
  bareUnit: keyof typeof UNITS_PER_SECOND | null = null,
): number | undefined {
  const quantity = parseQuantity(text);
  if (quantity === undefined) return undefined;
  const unit = quantity.unit === '' ? bareUnit : quantity.unit;
  if (unit === null || !Object.hasOwn(UNITS_PER_SECOND, unit)) return undefined;
  return quantity.amount / UNITS_PER_SECOND[unit as keyof typeof UNITS_PER_SECOND];
}

export function formatRate(perSecond: number): string {
  return `${perSecond}/s`;
}

/**
 * Reads a rate of bytes: a size and `/s` (`512B/s`, `64KiB/s`).
 *
 * @returns whole bytes per second; undefined if the text is not such a rate
 */
export function parseByteRate(text: string): number | undefined {
  return text.endsWith(BYTE_RATE_SUFFIX) ? parseByteSize(text.slice(0, -BYTE_RATE_SUFFIX.length)) : undefined;
}

export function formatByteRate(bytesPerSecond: number): string {
  return `${formatByteSize(bytesPerSecond)}${BYTE_RATE_SUFFIX}`;
}
