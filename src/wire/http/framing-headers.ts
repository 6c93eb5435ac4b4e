/** The headers that determine the end of a body (RFC 9112 section 6), in requests and responses. */

/** Max 15 digits: every such number is exact in a double. */
const CONTENT_LENGTH = /^\d{1,15}$/;
/** Not toLowerCase: it maps the Kelvin sign to the letter k. */
const CHUNKED = /^chunked$/i;

/** Reports whether a Content-Length is a single length in bytes, below 10^15. */
export function isContentLength(value: string): boolean {
  return CONTENT_LENGTH.test(value);
}

/** Reports whether a Transfer-Encoding is exactly `chunked`, the only supported coding. */
export function isChunked(value: string): boolean {
  return CHUNKED.test(value);
}
