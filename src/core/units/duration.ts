const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const PATTERN = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/**
 * Reads a duration as it stands in a configuration: a number and one unit of `ms s m h d` (`250ms`, `1.5s`), or
 * a bare 0.
 *
 * @returns whole milliseconds, 1 at least for what is not 0, or undefined where the text is not a duration
 */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  const match = PATTERN.exec(text);
  if (match === null) return undefined;
  const number = Number(match[1]);
  // Where 0 means never, 0.1ms must not.
  const least = number > 0 ? 1 : 0;
  return Math.max(least, Math.round(number * UNITS[match[2] as keyof typeof UNITS]));
}

/** Writes milliseconds in the largest unit that keeps them whole: 90000 is `90s`, 120000 is `2m`, 0 is `0s`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (ms % UNITS[unit] === 0) return `${ms / UNITS[unit]}${unit}`;
  }
  return `${ms}ms`;
}
