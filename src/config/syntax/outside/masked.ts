/** Hides values in messages. */
import { describe } from '../formats.ts';

/** A quoted text is hidden if it has a word of the value that is at least this long. */
const MIN_WORD_CHARACTERS = 3;
/** Words of the value that are at least this long are hidden in the whole message. */
const MIN_LONG_CHARACTERS = 8;
const QUOTED = /"(?:[^"\\]|\\.)*"/g;
const WORD = /[\p{L}\p{N}]+/gu;
const PLACEHOLDER = '...';

/**
 * Removes a value from a message of the form `FAULT: REMEDY`, and names the value's source instead. Short words of the
 * remedy stay, even if the value has them: the remedy is useful, and a hidden word would be known to be in the value.
 *
 * @param source noun phrase, such as `the text of /run/token`
 */
export function masked(message: string, value: string, source: string): string {
  const quoted = describe(value);
  const isQuoted = message.includes(quoted);
  const isFirst = !isQuoted && value !== '' && message.startsWith(`${value} `);
  const parts = isFirst ? ['', message.slice(value.length)] : message.split(quoted);
  const words = value.toLowerCase().match(WORD) ?? [];
  let inRemedy = false;
  const shown = parts.map((part) => {
    const at = inRemedy ? 0 : endOfFault(part);
    inRemedy ||= at < part.length;
    return withoutWords(withoutQuotes(part.slice(0, at), words) + part.slice(at), words);
  });
  const named = shown.join(source);
  return isQuoted || isFirst ? named : `${named} (from ${source})`;
}

/** Returns the offset of the first colon and space outside quotes, or the length of the text. */
function endOfFault(text: string): number {
  const at = text.replaceAll(QUOTED, (quote) => '"'.repeat(quote.length)).indexOf(': ');
  return at === -1 ? text.length : at;
}

/** Hides quoted texts that have a word of the value, or a part of one. */
function withoutQuotes(text: string, words: readonly string[]): string {
  const isOfValue = (word: string): boolean =>
    word.length >= MIN_WORD_CHARACTERS && words.some((secret) => secret.includes(word));
  return text.replaceAll(QUOTED, (quote) =>
    (quote.toLowerCase().match(WORD) ?? []).some(isOfValue) ? `"${PLACEHOLDER}"` : quote,
  );
}

/** Hides long words of the value, and long parts of them. */
function withoutWords(text: string, words: readonly string[]): string {
  return text.replaceAll(WORD, (word) => {
    const isLong = word.length >= MIN_LONG_CHARACTERS;
    return isLong && words.some((secret) => secret.includes(word.toLowerCase())) ? PLACEHOLDER : word;
  });
}
