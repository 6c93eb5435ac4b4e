/** The polynomial of CRC-32C (Castagnoli), with its bits in reverse order. */
const POLYNOMIAL = 0x82f63b78;

/** The checksum of each byte. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = (sum & 1) === 0 ? sum >>> 1 : (sum >>> 1) ^ POLYNOMIAL;
  return sum;
});

/**
 * Computes the checksum of a PROXY header (RFC 4960 appendix B) as if the four bytes of its own field were zero.
 *
 * @param field offset of those bytes
 */
export function checksumOfHeader(bytes: Buffer, start: number, end: number, field: number): number {
  let sum = 0xffffffff;
  for (let at = start; at < end; at++) {
    const byte = at >= field && at < field + 4 ? 0 : bytes[at]!;
    sum = (sum >>> 8) ^ TABLE[(sum ^ byte) & 0xff]!;
  }
  return (sum ^ 0xffffffff) >>> 0;
}
