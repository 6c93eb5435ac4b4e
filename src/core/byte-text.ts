/**
 * Byte texts: strings in which each character stands for a byte (Latin-1). Heads of HTTP messages are kept as byte texts,
 * because a field value may be any bytes (RFC 9110 section 5.5), and must cross unchanged.
 */
const NOT_ASCII = /[^\x00-\x7f]/;

/** Returns the UTF-8 bytes of a text as a byte text. */
export function toByteText(text: string): string {
  return NOT_ASCII.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
}

/** Reads a byte text as UTF-8, for people. Bytes that are not UTF-8 become U+FFFD. */
export function fromByteText(text: string): string {
  return NOT_ASCII.test(text) ? Buffer.from(text, 'latin1').toString('utf8') : text;
}
