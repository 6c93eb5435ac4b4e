/** Printable ASCII except quote, backslash and space. */
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
 * Escapes a text like Apache's logs (`ap_escape_logitem`). Each UTF-8 byte outside printable ASCII becomes
 * `\xhh`, so the text cannot start a line, end a quoted text or reverse the writing direction.
 *
 * @param escapesBlanks whether to write a space as `\x20`: in an unquoted text, a space would start the next
 * field
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
