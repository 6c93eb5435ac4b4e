import { parseQuantity, roundUpFromZero } from './quantity.ts';

const UNITS = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, KB: 1e3, MB: 1e6, GB: 1e9 } as const;
const BINARY_UNITS = ['GiB', 'MiB', 'KiB'] as const;

/**
 * Parses a size: a number and a unit of `B KiB MiB GiB KB MB GB`. A number without a unit is bytes.
 *
 * @returns whole bytes, at least 1 unless the number is 0; undefined if the text is not a size
 */
export function parseByteSize(text: string): number | undefined {
  const quantity = parseQuantity(text);
  if (quantity === undefined) return undefined;
  const unit = quantity.unit === '' ? 'B' : quantity.unit;
  if (!Object.hasOwn(UNITS, unit)) return undefined;
  return roundUpFromZero(quantity.amount * UNITS[unit as keyof typeof UNITS]);
}

/** Formats bytes in the largest binary unit without a fraction: 65536 is `64KiB`. */
export function formatByteSize(bytes: number): string {
  for (const unit of BINARY_UNITS) {
    if (bytes > 0 && bytes % UNITS[unit] === 0) return `${bytes / UNITS[unit]}${unit}`;
  }
  return `${bytes}B`;
}

/** Formats bytes rounded to whole units, in the largest binary unit that gives at least 10. */
export function formatRoundedByteSize(bytes: number): string {
  const unit = BINARY_UNITS.map((name) => UNITS[name]).find((size) => bytes >= 10 * size) ?? 1;
  return formatByteSize(Math.round(bytes / unit) * unit);
}
