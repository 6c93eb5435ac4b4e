/** Reads the rates of a limit: events or bytes per second, and the burst. */
import { formatDuration } from '../../../core/units/duration.ts';
import { parseByteRate } from '../../../core/units/rate.ts';
import { described } from '../../syntax/format-description.ts';
import { FormatError, byteRate, byteSize, describe, integer, rate } from '../../syntax/formats.ts';
import type { Section } from '../../syntax/section.ts';
import { isMapping } from '../../syntax/section.ts';
import type { LimitSettings, RateLimit } from '../../types/limits.ts';

/** Rates that a limit can count. */
export const RATE_KEYS = ['handshakes', 'requests', 'messages', 'bytes'] as const;

type RateKey = (typeof RATE_KEYS)[number];
type Rates = Pick<LimitSettings, RateKey>;

/** Max time to refill a used burst. The table of limits stores times up to this length. */
const MAX_REFILL_MS = 8 * 3_600_000;
const TIB = 1024 ** 4;

const eventRate = rate({ min: 1 / 3600, max: 1_000_000 });
const eventBurst = integer({ min: 1, max: 1_000_000_000 });
const BYTES_PER_SECOND = { min: 1, max: TIB };
const bytesPerSecond = byteRate(BYTES_PER_SECOND);
const bytesBurst = byteSize({ min: 1, max: TIB });

const readByteRate = described({ type: 'byte rate', ...BYTES_PER_SECOND }, (value) => {
  if (typeof value === 'string' && parseByteRate(value) !== undefined) return bytesPerSecond(value);
  throw new FormatError(`${describe(value)} is not a rate of bytes: write a size and "/s", such as 1MiB/s`);
});

/** Reads the optional rates. Also reads the key `burst` of a limit with one rate. */
export function readRates(limit: Section): Rates {
  const given = RATE_KEYS.filter((key) => limit.has(key));
  if (limit.has('burst')) checkBurst(limit, given);
  const shared = given.length === 1 && limit.has('burst') ? limit : null;
  const rates: Record<RateKey, RateLimit | null> = {
    handshakes: null,
    requests: null,
    messages: null,
    bytes: null,
  };
  for (const key of given) rates[key] = readRate(limit, key, shared);
  return rates;
}

/** Adds an error unless the burst belongs to exactly one rate. */
function checkBurst(limit: Section, given: readonly RateKey[]): void {
  const [key, ...others] = given;
  if (key === undefined) {
    limit.problemAt(
      'burst',
      `a burst belongs to a rate, and there is none: write ${RATE_KEYS.join(', ')}, or leave it out`,
    );
  } else if (others.length > 0) {
    limit.problemAt(
      'burst',
      `a burst belongs to one rate, and there are ${given.join(', ')}: write each as { rate, burst }`,
    );
  } else {
    const rate = limit.raw(key);
    if (isMapping(rate) && rate.has('burst')) {
      limit.problemAt('burst', `the burst is given twice: keep this one, or the one of ${key}`);
    }
  }
}

/** @param shared the limit, if its own burst applies; otherwise null */
function readRate(limit: Section, key: RateKey, shared: Section | null): RateLimit | null {
  const shape = { what: `"${key}"`, keys: ['rate', 'burst'] };
  const format = key === 'bytes' ? readByteRate : eventRate;
  const path = [...limit.path, key];
  limit.problems.observer?.value?.(path, format);
  limit.problems.observer?.mapping(path, shape.what, shape.keys);
  const inner = isMapping(limit.raw(key)) ? limit.section(key, shape) : null;
  const perSecond =
    inner === null
      ? limit.required<number | null>(key, format, null)
      : inner.required<number | null>('rate', format, null);
  if (perSecond === null) return null;
  const place = inner?.has('burst') === true ? inner : shared;
  const usual = Math.max(1, Math.ceil(perSecond));
  const burst = place?.optional('burst', key === 'bytes' ? bytesBurst : eventBurst, usual) ?? usual;
  const refillMs = Math.ceil((burst / perSecond) * 1000);
  if (refillMs > MAX_REFILL_MS && place !== null) {
    const times = `${formatDuration(Math.round(refillMs / 60_000) * 60_000)} to refill, and at most ${formatDuration(MAX_REFILL_MS)} is counted`;
    place.problemAt('burst', `a used burst would take ${times}: lower it, or raise the rate`);
  }
  return { perSecond, burst };
}
