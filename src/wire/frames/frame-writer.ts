import { isSendableCloseCode } from './close-codes.ts';

/** Writes client-to-server WebSocket frames (RFC 6455 sections 5.2 and 5.3). */

/** Max bytes of a masked frame's head: 2, plus 8 for the length and 4 for the mask. */
export const MAX_MASKED_HEAD_BYTES = 14;

const FIN = 0x80;
const MASKED = 0x80;
/** Max bytes of a close reason: 125 of a control frame, minus 2 for the code. */
const MAX_REASON_BYTES = 123;

/**
 * Writes a whole, unfragmented, masked frame. The target must have room for the payload plus {@link
 * MAX_MASKED_HEAD_BYTES}.
 *
 * @param mask masking key as 32 bits, lowest byte first; 0 leaves the payload unchanged
 * @returns the offset after the frame
 */
export function writeMaskedFrame(
  target: Buffer,
  offset: number,
  opcode: number,
  payload: Uint8Array,
  mask: number,
): number {
  const { length } = payload;
  const at = writeMaskedHead(target, offset, opcode, length, mask);
  target.set(payload, at);
  if (mask !== 0) applyMask(target, at, length, mask);
  return at + length;
}

/** Writes only the head of a masked frame. Returns the offset after the head. */
export function writeMaskedHead(
  target: Buffer,
  offset: number,
  opcode: number,
  length: number,
  mask: number,
): number {
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
  target[at++] = mask & 0xff;
  target[at++] = (mask >>> 8) & 0xff;
  target[at++] = (mask >>> 16) & 0xff;
  target[at++] = mask >>> 24;
  return at;
}

/** XORs `length` bytes from `start` with the key. The key's lowest byte applies to the first byte. */
export function applyMask(target: Buffer, start: number, length: number, mask: number): void {
  const end = start + length;
  let at = start;
  let key = mask;
  // XOR single bytes up to a 4-byte boundary in memory, then whole words with the rotated key.
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

/**
 * Returns the payload of a close frame (RFC 6455 section 5.5.1), or an empty buffer if the code must not be
 * sent.
 *
 * @param reason UTF-8; truncated at a character boundary if it does not fit a control frame
 */
export function closePayload(code: number, reason: Uint8Array): Buffer {
  if (!isSendableCloseCode(code)) return Buffer.alloc(0);
  let length = Math.min(reason.length, MAX_REASON_BYTES);
  // Do not split a character.
  while (length > 0 && length < reason.length && (reason[length]! & 0xc0) === 0x80) length--;
  const payload = Buffer.allocUnsafe(2 + length);
  payload.writeUInt16BE(code, 0);
  payload.set(reason.subarray(0, length), 2);
  return payload;
}
