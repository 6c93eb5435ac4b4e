/** Describes types and defaults of keys in words. */
import { formatByteSize } from '../../src/core/units/byte-size.ts';
import { formatDuration } from '../../src/core/units/duration.ts';
import { formatByteRate, formatRate } from '../../src/core/units/rate.ts';
import type { FormatDescription } from '../../src/config/syntax/format-description.ts';
import type { RecordedKey } from './record-keys.ts';

const WRITERS: Readonly<Record<string, (value: number) => string>> = {
  duration: formatDuration,
  size: formatByteSize,
  'byte rate': formatByteRate,
  rate: formatRate,
  integer: String,
  number: String,
};

/** Describes the type and range of a key. Returns null if no format describes itself. */
export function typeWords(formats: readonly FormatDescription[]): string | null {
  if (formats.length === 0) return null;
  return [...new Set(formats.map(wordsOf))].join(', or ');
}

function wordsOf(format: FormatDescription): string {
  if (format.type === 'boolean') return 'boolean';
  if (format.type === 'word') return listOf(format.words.map((word) => `\`${word}\``));
  if (format.type === 'text') return format.what.replace(/^(?:an?|the) /, '');
  if (format.type === 'list') return `list of ${format.of}`;
  if (format.type === 'constant') return listOf(format.values.map((value) => `\`${value}\``));
  if (format.type === 'off') return '`off`';
  if (format.type === 'empty') return 'nothing';
  if (format.type === 'pairs') return 'mapping';
  if (format.type === 'either') {
    return format.of
      .filter(({ type }) => type !== 'off')
      .map(wordsOf)
      .join(', or ');
  }
  const write = WRITERS[format.type]!;
  const zero = format.zero === undefined ? '' : `, or 0 for ${format.zero}`;
  return `${format.type}, ${write(format.min)} to ${write(format.max)}${zero}`;
}

function listOf(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)!}`;
}

/** Formats the default of a key as in a configuration file, in Markdown. */
export function defaultWords(key: RecordedKey, formats: readonly FormatDescription[]): string {
  if (key.isRequired || formats.some((format) => format.type === 'list' && format.min > 0)) return 'required';
  const [fallback, ...others] = key.fallbacks;
  if (others.length > 0) throw new Error(`several defaults: ${[fallback, ...others].join(', ')}`);
  if (fallback === undefined || fallback === null) return 'none';
  if (fallback === '') return 'empty';
  const type = formats.find((format) => format.type in WRITERS)?.type ?? '';
  const isQuantity = typeof fallback === 'number' && type in WRITERS;
  return `\`${isQuantity ? WRITERS[type]!(fallback) : JSON.stringify(fallback).replaceAll('"', '')}\``;
}
