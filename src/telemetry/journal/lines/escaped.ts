/** Printable ASCII but the quote, the backslash and the blank. */
const PLAIN = /^[!#-[\]-~]*$/;
const LETTERS: Readonly<Record<number, string>> = {
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  13: '\\r',
  34: '\\"',
  92: '\\\\',
};

/**
 * Escapes a text as Apache does for its logs (`ap_escape_logitem`): what is not printable ASCII becomes `\xhh` for each byte
 * of its UTF-8, so that nothing can begin a line, end a quoted text or turn the direction of writing.
 *
 * @param escapesBlanks whether a blank becomes `\x20`: in a text without quotes it would begin the next field
 */
export function escaped(text: string, escapesBlanks = false): string {
  if (PLAIN.test(text)) return text;
  let result = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const letter = LETTERS[byte];
    if (letter !== undefined) result += letter;
    else if (byte < 32 || byte > 126 || (escapesBlanks && byte === 32)) result += `\\x${hex(byte)}`;
    else result += String.fromCharCode(byte);
  }
  return result;
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
