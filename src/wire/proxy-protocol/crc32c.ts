/** Polynomial of CRC-32C (Castagnoli), bit-reversed. */
const POLYNOMIAL = 0x82f63b78;

/** Checksum of each byte. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = (sum & 1) === 0 ? sum >>> 1 : (sum >>> 1) ^ POLYNOMIAL;
  return sum;
});

/**
 * Computes the checksum of a PROXY header (RFC 4960 appendix B), with zeros in place of the checksum field.
 *
 * @param field offset of the checksum field, 4 bytes
 */
export function checksumOfHeader(bytes: Buffer, start: number, end: number, field: number): number {
  let sum = 0xffffffff;
  for (let at = start; at < end; at++) {
    const byte = at >= field && at < field + 4 ? 0 : bytes[at]!;
    sum = (sum >>> 8) ^ TABLE[(sum ^ byte) & 0xff]!;
  }
  return (sum ^ 0xffffffff) >>> 0;
}
