/** Control characters that a field value must not contain: all except the tab (RFC 9110 section 5.5). */
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/;
/** Control characters, and characters that are not one byte. */
const UNSAFE = /[^\t\x20-\x7e\x80-\xff]/;
const EACH_UNSAFE = new RegExp(UNSAFE, 'g');

/** Reports whether the text contains a character that could end or split a header line. */
export function hasControlCharacter(text: string): boolean {
  return CONTROL.test(text);
}

/**
 * Returns a value that is safe in a header line. Replaces unsafe characters by spaces (RFC 9110 section 5.5).
 */
export function safeFieldValue(value: string): string {
  return UNSAFE.test(value) ? value.replace(EACH_UNSAFE, ' ') : value;
}
