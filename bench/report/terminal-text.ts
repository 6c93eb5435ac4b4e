/** Characters without a glyph, except the report's own line ends. */
const HIDDEN = /(?!\n)[\p{C}\p{Zl}\p{Zp}]/gu;

/**
 * Escapes characters that control a terminal, hide or reverse nearby text, or have no glyph. Recordings and
 * servers choose some of the names in a report.
 */
export function terminalText(text: string): string {
  return text.replace(HIDDEN, escaped);
}

function escaped(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16);
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`;
}
