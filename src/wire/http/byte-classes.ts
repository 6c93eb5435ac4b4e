/** Classes of bytes in HTTP/1.x, one bit per class. */

/** Bytes of a token: methods and names (RFC 9110 section 5.6.2). */
export const IS_TOKEN = 1;
/** Bytes of a field value (RFC 9110 section 5.5), including white space. */
export const IS_VALUE = 2;
/** Bytes of a request target. Laxer than RFC 3986, but safe: these bytes neither end nor split a line. */
export const IS_TARGET = 4;

export const BYTE_CLASSES = new Uint8Array(256);

for (let byte = 0; byte < 256; byte++) {
  const isVisible = byte > 0x20 && byte < 0x7f;
  if (isVisible || byte >= 0x80 || byte === 0x20 || byte === 0x09) BYTE_CLASSES[byte]! |= IS_VALUE;
  if (isVisible && byte !== 0x23) BYTE_CLASSES[byte]! |= IS_TARGET;
}
for (const byte of Buffer.from("!#$%&'*+-.^_`|~0123456789")) BYTE_CLASSES[byte]! |= IS_TOKEN;
for (let letter = 0x41; letter <= 0x5a; letter++) {
  BYTE_CLASSES[letter]! |= IS_TOKEN;
  BYTE_CLASSES[letter + 0x20]! |= IS_TOKEN;
}
