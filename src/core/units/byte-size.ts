const UNITS = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, KB: 1e3, MB: 1e6, GB: 1e9 } as const;
const PATTERN = /^(\d+(?:\.\d+)?)(B|KiB|MiB|GiB|KB|MB|GB)?$/;

/**
 * Reads a size as it stands in a configuration: a number and one unit of `B KiB MiB GiB KB MB GB`, bytes where
 * no unit is given.
 *
 * @returns whole bytes, 1 at least for what is not 0, or undefined where the text is not a size
 */
export function parseByteSize(text: string): number | undefined {
  const match = PATTERN.exec(text);
  if (match === null) return undefined;
  const number = Number(match[1]);
  const least = number > 0 ? 1 : 0;
  return Math.max(least, Math.round(number * UNITS[(match[2] ?? 'B') as keyof typeof UNITS]));
}

/** Writes bytes per second. */
export function formatByteRate(bytes: number): string {
  return `${formatByteSize(bytes)}/s`;
}

/** Writes bytes in the largest binary unit that keeps them whole: 65536 is `64KiB`. */
export function formatByteSize(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB'] as const) {
    if (bytes > 0 && bytes % UNITS[unit] === 0) return `${bytes / UNITS[unit]}${unit}`;
  }
  return `${bytes}B`;
}
