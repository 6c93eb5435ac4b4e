/** Hides values in messages. */
import { describe } from '../formats.ts';

/** Words of a value that are at least this long are hidden, wherever a message has them. */
const MIN_HIDDEN_CHARACTERS = 3;
/** Parts of such words that are at least this long are hidden, too. */
const MIN_PART_CHARACTERS = 8;

/**
 * Removes a value from a message. Names its source instead.
 *
 * @param source noun phrase, such as `the text of /run/token`
 */
export function masked(message: string, value: string, source: string): string {
  const quoted = describe(value);
  const named = message.includes(quoted) ? message.replaceAll(quoted, source) : `${message} (from ${source})`;
  const words = value.toLowerCase().split(/[^\p{L}\p{N}]+/u);
  const hidden = new Set(words.filter((word) => word.length >= MIN_HIDDEN_CHARACTERS));
  if (hidden.size === 0) return named;
  // The source may share words with the value, and has none of its secrets.
  return named
    .split(source)
    .map((part) => part.replaceAll(/[\p{L}\p{N}]+/gu, (word) => (isHidden(word, hidden) ? '...' : word)))
    .join(source);
}

/** Whether a word of a message is a word of the value, or a long part of one. */
function isHidden(word: string, hidden: ReadonlySet<string>): boolean {
  const lower = word.toLowerCase();
  if (hidden.has(lower)) return true;
  return lower.length >= MIN_PART_CHARACTERS && [...hidden].some((secret) => secret.includes(lower));
}
