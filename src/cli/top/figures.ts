/** Formats numbers for a terminal column of five or six characters. */

const ABSENT = '-';
const COUNT_UNITS = ['', 'k', 'M', 'G', 'T'] as const;
const BYTE_UNITS = ['B', 'K', 'M', 'G', 'T'] as const;
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Formats a count in at most 5 characters: `9999`, `12k`, `4.5M`; `-` for null. */
export function count(value: number | null): string {
  if (value === null) return ABSENT;
  return value < 10_000 ? String(Math.round(value)) : scaled(value, 1000, COUNT_UNITS);
}

/** Formats a count with all digits, up to 7 of them. */
export function whole(value: number): string {
  return value < 10_000_000 ? String(Math.round(value)) : count(value);
}

/** Formats a rate per second in at most 5 characters: `0`, `0.5`, `12`, `12k`; `-` for null. */
export function rate(value: number | null): string {
  if (value === null) return ABSENT;
  return value > 0 && value < 9.95 ? withoutZero(value.toFixed(1)) : count(value);
}

/** Formats bytes in at most 5 characters, in powers of 1024: `512B`, `1.5K`, `64M`; `-` for null. */
export function bytes(value: number | null): string {
  return value === null ? ABSENT : scaled(value, 1024, BYTE_UNITS);
}

/** Formats seconds in at most 5 characters: `0`, `85us`, `1.2ms`, `350ms`, `2.5s`, `90s`; `-` for null. */
export function seconds(value: number | null): string {
  if (value === null) return ABSENT;
  if (value <= 0) return '0';
  if (value < 0.000_999_5) return `${Math.max(1, Math.round(value * 1e6))}us`;
  if (value < 0.9995) return `${significant(value * 1000)}ms`;
  return value < 9999 ? `${significant(value)}s` : '9999s';
}

/** Formats a fraction as whole percent; `-` for null. */
export function percent(share: number | null): string {
  return share === null ? ABSENT : `${Math.round(share * 100)}%`;
}

/** Formats an age in its two largest units, rounded down: `42s`, `5m 3s`, `2h 5m`, `3d 4h`. */
export function age(total: number): string {
  const whole = Math.max(0, Math.floor(total));
  if (whole < MINUTE) return `${whole}s`;
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)}m ${whole % MINUTE}s`;
  if (whole < DAY) return `${Math.floor(whole / HOUR)}h ${Math.floor((whole % HOUR) / MINUTE)}m`;
  return `${Math.floor(whole / DAY)}d ${Math.floor((whole % DAY) / HOUR)}h`;
}

/** Formats three digits and a unit. Rounds before choosing the unit: 999.9 KiB is 1M, not 1000K. */
function scaled(value: number, base: number, units: readonly string[]): string {
  let rest = value;
  let unit = 0;
  while (unit < units.length - 1 && rest >= base - 0.5) {
    rest /= base;
    unit++;
  }
  const text = unit === 0 ? String(Math.round(rest)) : significant(rest);
  return `${text}${units[unit] ?? ''}`;
}

/** Keeps one decimal below 10, none above. */
function significant(value: number): string {
  return value < 9.95 ? withoutZero(value.toFixed(1)) : String(Math.round(value));
}

function withoutZero(text: string): string {
  return text.endsWith('.0') ? text.slice(0, -2) : text;
}
