/**
 * Control characters, direction marks, and other characters that are invisible but may change their
 * neighbours.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Zs}\p{Default_Ignorable_Code_Point}]/u;
const EACH_UNSEEN = new RegExp(UNSEEN, 'gu');
/** Spaces between words, and the line breaks of a long answer. */
const PLAIN = new Set([' ', '\n']);

/**
 * Escapes invisible characters as `\u202e`. Otherwise a client's name could imitate another: a direction mark
 * reorders letters, and a zero-width space hides in a name.
 */
export function visibleText(text: string): string {
  if (!UNSEEN.test(text)) return text;
  return text.replace(EACH_UNSEEN, (character) => (PLAIN.has(character) ? character : escaped(character)));
}

function escaped(character: string): string {
  const code = character.codePointAt(0)!.toString(16);
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`;
}
