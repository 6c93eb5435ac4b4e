/** Writes the framing of chunked bodies (RFC 9112 section 7.1), as text with one character per byte. */

/** Follows the bytes of each chunk. */
export const CHUNK_END = '\r\n';

/** Returns the line before the bytes of a chunk. @param size bytes of the chunk, 1 or more */
export function chunkHead(size: number): string {
  return `${size.toString(16)}\r\n`;
}

/**
 * Returns the end of a body: the last chunk and the trailers (RFC 9112 section 7.1.2).
 *
 * @param fieldLines trailers, each with its line end
 */
export function lastChunk(fieldLines = ''): string {
  return `0\r\n${fieldLines}\r\n`;
}
