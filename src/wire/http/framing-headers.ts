/** The values of the headers that say where a body ends (RFC 9112 section 6), the same for requests and responses. */

/** At most 15 digits: every such number is exact in a double. */
const CONTENT_LENGTH = /^\d{1,15}$/;
/** Not by toLowerCase, which makes the Kelvin sign a letter k. */
const CHUNKED = /^chunked$/i;

/** Tells whether the value of a Content-Length is one length in bytes, below 10^15. */
export function isContentLength(value: string): boolean {
  return CONTENT_LENGTH.test(value);
}

/** Tells whether the value of a Transfer-Encoding is `chunked` and nothing else. No other coding is supported. */
export function isChunked(value: string): boolean {
  return CHUNKED.test(value);
}
