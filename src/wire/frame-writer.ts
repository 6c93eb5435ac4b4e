

/** The longest head of a masked frame: 2 bytes, 8 of length, 4 of mask. */
export const MAX_MASKED_HEAD = 14;

const FIN = 0x80;
const MASKED = 0x80;

/**
 * Writes a whole unfragmented masked frame at an offset of a buffer that has room for the payload and
 * {@link MAX_MASKED_HEAD}.
 *
 * @param mask the masking key as 32 bits, in the byte order of the machine; 0 leaves the payload as it is
 * @returns the offset behind the frame
 */
export function writeMaskedFrame(
  target: Buffer,
  offset: number,
  opcode: number,
  payload: Uint8Array,
  mask: number,
): number {
  const length = payload.length;
  let at = offset;
  target[at++] = FIN | opcode;
  if (length < 126) {
    target[at++] = MASKED | length;
  } else if (length < 65536) {
    target[at++] = MASKED | 126;
    target[at++] = length >>> 8;
    target[at++] = length & 0xff;
  } else {
    target[at++] = MASKED | 127;
    target.writeUInt32BE(Math.floor(length / 2 ** 32), at);
    target.writeUInt32BE(length >>> 0, at + 4);
    at += 8;
  }
  if (mask === 0) {
    target[at] = target[at + 1] = target[at + 2] = target[at + 3] = 0;
    target.set(payload, at + 4);
    return at + 4 + length;
  }
  target.writeInt32LE(mask, at);
  target.set(payload, at + 4);
  applyMask(target, at + 4, length, mask);
  return at + 4 + length;
}

/** XORs `length` bytes from `start` with the key, whose lowest byte meets the first of them. */
export function applyMask(target: Buffer, start: number, length: number, mask: number): void {
  const end = start + length;
  let at = start;
  let key = mask;
  // Byte by byte up to a 4-byte border of the memory, then whole words with the key turned to fit.
  while (at < end && ((target.byteOffset + at) & 3) !== 0) {
    target[at]! ^= key & 0xff;
    key = (key >>> 8) | (key << 24);
    at++;
  }
  const words = (end - at) >>> 2;
  if (words > 0) {
    const view = new Int32Array(target.buffer, target.byteOffset + at, words);
    for (let index = 0; index < words; index++) view[index]! ^= key;
    at += words << 2;
  }
  while (at < end) {
    target[at]! ^= key & 0xff;
    key = (key >>> 8) | (key << 24);
    at++;
  }
}

/** The payload of a close frame (RFC 6455 section 5.5.1); empty where the code may not be sent. */
export function closePayload(code: number, reason: Uint8Array): Buffer {
  if (code < 1000 || code === 1005 || code === 1006 || code === 1015) return Buffer.alloc(0);
  const payload = Buffer.allocUnsafe(2 + Math.min(reason.length, 123));
  payload.writeUInt16BE(code, 0);
  payload.set(reason.subarray(0, 123), 2);
  return payload;
}
