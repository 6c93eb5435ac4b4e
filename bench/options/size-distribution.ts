import { formatByteSize, parseByteSize } from '../../src/core/units/byte-size.ts';

/** Distribution of message sizes, in bytes of payload. */
export type SizeDistribution =
  | { readonly kind: 'fixed'; readonly size: number }
  | { readonly kind: 'uniform'; readonly min: number; readonly max: number }
  /** Many small and few large sizes. The max is {@link EXPONENTIAL_CUT} times the mean. */
  | { readonly kind: 'exponential'; readonly mean: number }
  | { readonly kind: 'mix'; readonly parts: readonly { readonly size: number; readonly weight: number }[] };

const EXPONENTIAL_CUT = 16;

/**
 * Parses `1KiB`, `32-1KiB` (uniform), `exp:512` (exponential, by its mean) or `32@80,1KiB@15,64KiB@5` (sizes
 * with weights).
 *
 * @returns undefined if the text is invalid
 */
export function parseSizeDistribution(text: string): SizeDistribution | undefined {
  if (text.includes('@')) return parseMix(text);
  if (text.startsWith('exp:')) {
    const mean = parseByteSize(text.slice('exp:'.length));
    return mean === undefined || mean < 1 ? undefined : { kind: 'exponential', mean };
  }
  const [first = '', second, ...more] = text.split('-');
  const min = parseByteSize(first);
  if (min === undefined || more.length > 0) return undefined;
  if (second === undefined) return { kind: 'fixed', size: min };
  const max = parseByteSize(second);
  return max === undefined || max < min ? undefined : { kind: 'uniform', min, max };
}

function parseMix(text: string): SizeDistribution | undefined {
  const parts: { size: number; weight: number }[] = [];
  for (const part of text.split(',')) {
    const match = /^([^@]+)@(\d+(?:\.\d+)?)$/.exec(part);
    const size = parseByteSize(match?.[1] ?? '');
    const weight = Number(match?.[2]);
    if (size === undefined || !(weight > 0)) return undefined;
    parts.push({ size, weight });
  }
  return { kind: 'mix', parts };
}

/** Formats sizes as text that {@link parseSizeDistribution} can parse. */
export function formatSizeDistribution(sizes: SizeDistribution): string {
  switch (sizes.kind) {
    case 'fixed':
      return formatByteSize(sizes.size);
    case 'uniform':
      return `${formatByteSize(sizes.min)}-${formatByteSize(sizes.max)}`;
    case 'exponential':
      return `exp:${formatByteSize(sizes.mean)}`;
    case 'mix':
      return sizes.parts.map(({ size, weight }) => `${formatByteSize(size)}@${weight}`).join(',');
  }
}

/** Returns the smallest and the largest possible size. */
export function sizeBounds(sizes: SizeDistribution): { readonly min: number; readonly max: number } {
  switch (sizes.kind) {
    case 'fixed':
      return { min: sizes.size, max: sizes.size };
    case 'uniform':
      return sizes;
    case 'exponential':
      return { min: 1, max: sizes.mean * EXPONENTIAL_CUT };
    case 'mix': {
      const all = sizes.parts.map(({ size }) => size);
      return { min: Math.min(...all), max: Math.max(...all) };
    }
  }
}

/** Returns the mean size in bytes. */
export function meanSize(sizes: SizeDistribution): number {
  switch (sizes.kind) {
    case 'fixed':
      return sizes.size;
    case 'uniform':
      return (sizes.min + sizes.max) / 2;
    case 'exponential':
      return sizes.mean;
    case 'mix': {
      const weights = sizes.parts.reduce((sum, { weight }) => sum + weight, 0);
      return sizes.parts.reduce((sum, { size, weight }) => sum + size * weight, 0) / weights;
    }
  }
}

/**
 * Returns `count` sizes at evenly spaced quantiles of the distribution, in a fixed pseudorandom order.
 *
 * Random draws would vary. With quantiles, even a few sizes have the distribution's mean, and every run sends
 * the same bytes.
 */
export function sampleSizes(sizes: SizeDistribution, count: number): Uint32Array {
  const samples = new Uint32Array(count);
  for (let index = 0; index < count; index++) samples[index] = quantile(sizes, (index + 0.5) / count);
  let seed = 0x9e3779b9;
  for (let left = count - 1; left > 0; left--) {
    // Marsaglia's xorshift and the Fisher-Yates shuffle.
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    const other = (seed >>> 0) % (left + 1);
    const kept = samples[left]!;
    samples[left] = samples[other]!;
    samples[other] = kept;
  }
  return samples;
}

/**
 * Returns a quantile of the sizes.
 *
 * @param at fraction of messages at or below the returned size, above 0 and below 1
 */
function quantile(sizes: SizeDistribution, at: number): number {
  switch (sizes.kind) {
    case 'fixed':
      return sizes.size;
    case 'uniform':
      return Math.min(sizes.max, sizes.min + Math.floor(at * (sizes.max - sizes.min + 1)));
    case 'exponential':
      return Math.min(sizes.mean * EXPONENTIAL_CUT, Math.max(1, Math.round(-sizes.mean * Math.log(1 - at))));
    case 'mix': {
      const weights = sizes.parts.reduce((sum, { weight }) => sum + weight, 0);
      let left = at * weights;
      for (const { size, weight } of sizes.parts) {
        if (left < weight) return size;
        left -= weight;
      }
      return sizes.parts.at(-1)!.size;
    }
  }
}
