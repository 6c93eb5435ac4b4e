/**
 * Byte texts are strings with one character per byte (Latin-1). HTTP heads are kept as byte texts, because a
 * field value may be any bytes (RFC 9110 section 5.5) and must be forwarded unchanged.
 */
const NOT_ASCII = /[^\x00-\x7f]/;

/** Returns the UTF-8 bytes of a text as a byte text. */
export function toByteText(text: string): string {
  return NOT_ASCII.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
}

/** Decodes a byte text as UTF-8, for display. Invalid bytes become U+FFFD. */
export function fromByteText(text: string): string {
  return NOT_ASCII.test(text) ? Buffer.from(text, 'latin1').toString('utf8') : text;
}
