/** Makes texts that clients and endpoints choose safe for one line of a terminal. */
import type { Symbols } from './line.ts';

/** Control characters, characters without a glyph, and spaces that do not fill one or two columns. */
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}]|(?![ \u3000])\p{Zs}/u;
/** Combining marks, which take no column. */
const MARK = /[\p{Mn}\p{Me}]/u;
/** Choose between text and emoji presentation. Terminals disagree about their width. */
const VARIATION = /[\ufe00-\ufe0f]/;
/** Vowels and finals of decomposed Hangul syllables. Their width depends on their neighbours. */
const JAMO = /[\u1160-\u11ff\ud7b0-\ud7ff]/;
/** Characters of two columns: East Asian scripts, full-width forms and emoji (Unicode Standard Annex 11). */
const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Script=Yi}\p{Emoji_Presentation}\u3000-\u303e\u30fb-\u30fe\u3200-\u33ff\uff01-\uff60\uffe0-\uffe6]/u;
/** Half-width forms of Katakana and Hangul. */
const NARROW = /[\uff61-\uffdc]/;
/** Max marks on one character. More marks would cover the lines above and below. */
const MAX_MARKS = 2;

const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Makes a text safe for one line: it has a known width and cannot control, hide or reverse other text.
 * Control characters and characters without a glyph become escapes such as `\u001b`. A text that does not fit
 * is cut and ends in an ellipsis.
 *
 * @param width columns
 * @param more whether more text follows: then the text gets an ellipsis even if it fits
 */
export function visible(text: string, width: number, symbols: Symbols, more = false): string {
  let written = '';
  let columns = 0;
  /** The text that remains if the ellipsis needs the last column. */
  let kept = '';
  let marks = 0;
  for (const character of text) {
    marks = MARK.test(character) ? marks + 1 : 0;
    const glyph = glyphOf(character, columns > 0 && marks <= MAX_MARKS, symbols);
    columns += glyph.columns;
    if (columns > width) return width <= 0 ? '' : kept + symbols.ellipsis;
    written += glyph.text;
    if (columns < width) kept = written;
  }
  if (!more || width <= 0) return written;
  return (columns < width ? written : kept) + symbols.ellipsis;
}

/** @param mayCombine whether a mark may combine with the previous character */
function glyphOf(
  character: string,
  mayCombine: boolean,
  { unicode }: Symbols,
): { readonly text: string; readonly columns: number } {
  if (character >= ' ' && character <= '~') return { text: character, columns: 1 };
  const escape = ESCAPES[character];
  if (escape !== undefined) return { text: escape, columns: escape.length };
  if (!unicode || HIDDEN.test(character) || JAMO.test(character)) return escaped(character);
  if (VARIATION.test(character)) return { text: '', columns: 0 };
  if (MARK.test(character)) return mayCombine ? { text: character, columns: 0 } : escaped(character);
  return { text: character, columns: WIDE.test(character) && !NARROW.test(character) ? 2 : 1 };
}

function escaped(character: string): { readonly text: string; readonly columns: number } {
  const code = (character.codePointAt(0) ?? 0).toString(16);
  const text = code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`;
  return { text, columns: text.length };
}
