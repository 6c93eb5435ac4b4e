/** Controls, marks of direction, and all else that has no shape of its own but may change what is beside it. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Zs}\p{Default_Ignorable_Code_Point}]/u;
const EACH_UNSEEN = new RegExp(UNSEEN, 'gu');
/** Blanks between words, and the ends of the lines of a long answer. */
const PLAIN = new Set([' ', '\n']);

/**
 * Writes what cannot be seen in a text as `\u202e`. Names of clients could look like others: a mark of direction turns the order of
 * letters, and a blank without width hides in a name.
 */
export function visibleText(text: string): string {
  if (!UNSEEN.test(text)) return text;
  return text.replace(EACH_UNSEEN, (character) => (PLAIN.has(character) ? character : escaped(character)));
}

function escaped(character: string): string {
  const code = character.codePointAt(0)!.toString(16);
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`;
}
