/** Characters that a field value must not have: control characters except the tab (RFC 9110 section 5.5). */
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/;
/** Those, and characters that are no byte. */
const UNSAFE = /[^\t\x20-\x7e\x80-\xff]/;
const EACH_UNSAFE = new RegExp(UNSAFE, 'g');

/** Tells whether the text has a character that could end or split a header line. */
export function hasControlCharacter(text: string): boolean {
  return CONTROL.test(text);
}

/** Returns a value that can be written into a header line: each unsafe character becomes a space (RFC 9110 section 5.5). */
export function safeFieldValue(value: string): string {
  return UNSAFE.test(value) ? value.replace(EACH_UNSAFE, ' ') : value;
}
