import { OPCODE_BINARY, OPCODE_CLOSE, OPCODE_CONTINUATION, OPCODE_PONG } from './opcodes.ts';

/** The first bytes of a frame (RFC 6455 section 5.2), and their rules. */

/** Permitted reserved bits: none, the bit of permessage-deflate (RFC 7692 section 6), or any. */
export type ReservedBits = 'none' | 'deflate' | 'any';

const RESERVED = 0x70;
const DEFLATED = 0x40;
const MASKED = 0x80;
const FIN = 0x80;
/** RFC 6455 section 5.5. */
export const MAX_CONTROL_PAYLOAD_BYTES = 125;

/** Error results of {@link payloadLength}. */
const NOT_MINIMAL = -1;
export const OVER_63_BITS = -2;

/** Returns the length of a frame's head, including the mask, from its second byte. */
export function headLength(second: number): number {
  const length = second & 0x7f;
  const mask = (second & MASKED) === 0 ? 0 : 4;
  return (length < 126 ? 2 : length === 126 ? 4 : 10) + mask;
}

/**
 * Checks the first two bytes of a frame.
 *
 * @param masked whether the sender must mask its frames: clients must, endpoints must not
 * @param isInMessage whether a fragmented message is incomplete
 * @returns the error, or null for a valid frame
 */
export function headFault(
  first: number,
  second: number,
  masked: boolean,
  reserved: ReservedBits,
  isInMessage: boolean,
): string | null {
  const opcode = first & 0x0f;
  if ((first & RESERVED) !== 0 && !mayReserve(first & RESERVED, opcode, reserved)) return 'reserved bit set';
  if ((second & MASKED) === 0) {
    if (masked) return 'unmasked frame from a client';
  } else if (!masked) {
    return 'masked frame from a server';
  }
  if (opcode >= OPCODE_CLOSE) {
    if (opcode > OPCODE_PONG) return 'unknown opcode';
    if ((first & FIN) === 0) return 'fragmented control frame';
    return (second & 0x7f) > MAX_CONTROL_PAYLOAD_BYTES ? 'control frame over 125 bytes' : null;
  }
  if (opcode > OPCODE_BINARY) return 'unknown opcode';
  if (opcode === OPCODE_CONTINUATION) return isInMessage ? null : 'continuation without a message';
  return isInMessage ? 'new message inside a fragmented one' : null;
}

function mayReserve(bits: number, opcode: number, reserved: ReservedBits): boolean {
  if (reserved === 'any') return true;
  return (
    reserved === 'deflate' && bits === DEFLATED && opcode !== OPCODE_CONTINUATION && opcode < OPCODE_CLOSE
  );
}

/**
 * Returns the payload length of the frame at `at`, whose head is complete. Lengths above 2^53 are not exact.
 *
 * @returns {@link NOT_MINIMAL} or {@link OVER_63_BITS} for an invalid length
 */
export function payloadLength(input: Buffer, at: number): number {
  const short = input[at + 1]! & 0x7f;
  if (short < 126) return short;
  if (short === 126) {
    const length = (input[at + 2]! << 8) | input[at + 3]!;
    return length < 126 ? NOT_MINIMAL : length;
  }
  const high = input.readUInt32BE(at + 2);
  if (high >= 0x80000000) return OVER_63_BITS;
  const length = high * 2 ** 32 + input.readUInt32BE(at + 6);
  return length < 65536 ? NOT_MINIMAL : length;
}
