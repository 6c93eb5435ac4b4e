/** Texts that clients and endpoints choose, for one line of a terminal. */
import type { Symbols } from './line.ts';

/** Controls, characters without a glyph, and spaces other than those that fill one or two columns. */
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}]|(?![ \u3000])\p{Zs}/u;
/** Marks over or under the character before them, which take no column. */
const MARK = /[\p{Mn}\p{Me}]/u;
/** They choose between text and picture. Terminals disagree about their width. */
const VARIATION = /[\ufe00-\ufe0f]/;
/** Vowels and finals of Hangul syllables in parts: their width depends on their neighbours. */
const JAMO = /[\u1160-\u11ff\ud7b0-\ud7ff]/;
/** Characters of two columns: East Asian scripts, full-width forms and emoji (Unicode Standard Annex 11). */
const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Script=Yi}\p{Emoji_Presentation}\u3000-\u303e\u30fb-\u30fe\u3200-\u33ff\uff01-\uff60\uffe0-\uffe6]/u;
/** Half-width forms of Katakana and Hangul. */
const NARROW = /[\uff61-\uffdc]/;
/** More marks on one character cover the lines above and below it. */
const MAX_MARKS = 2;

const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Writes a text so that it takes a known width, controls nothing, and hides and reverses nothing around it: control
 * characters and others without a glyph become escapes, as `\u001b`. Cuts it with an ellipsis if it does not fit.
 *
 * @param width columns
 * @param more whether the text goes on: it gets an ellipsis even if it fits
 */
export function visible(text: string, width: number, symbols: Symbols, more = false): string {
  let written = '';
  let columns = 0;
  /** What is left if the ellipsis needs the last column. */
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

/** @param mayCombine whether a mark may stand on the character before it */
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
