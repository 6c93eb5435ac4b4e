/** Writes the framing of bodies in chunks (RFC 9112 section 7.1), as text in which each character is a byte. */

/** Stands behind the bytes of each chunk. */
export const CHUNK_END = '\r\n';

/** Returns what stands before the bytes of a chunk. @param size of the chunk in bytes, 1 or more */
export function chunkHead(size: number): string {
  return `${size.toString(16)}\r\n`;
}

/**
 * Returns the end of a body: the last chunk, and the trailers behind it (RFC 9112 section 7.1.2).
 *
 * @param fieldLines the trailers, each with its line end
 */
export function lastChunk(fieldLines = ''): string {
  return `0\r\n${fieldLines}\r\n`;
}
