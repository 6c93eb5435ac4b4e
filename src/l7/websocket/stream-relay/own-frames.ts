import type { SessionTap } from '../../../telemetry/tap/tap.ts';
import { MAX_MASKED_HEAD_BYTES, closePayload, writeMaskedFrame } from '../../../wire/frames/frame-writer.ts';
import { OPCODE_CLOSE, OPCODE_PING } from '../../../wire/frames/opcodes.ts';

const FIN = 0x80;
const MASKED = 0x80;
/** Payload length of sluice's own pings. */
const PING_BYTES = 8;
const pingPayload = Buffer.alloc(PING_BYTES);

/**
 * Returns a ping, whose payload is two integers of 32 bits.
 *
 * @param mask null for a frame to a client, which is not masked
 */
export function pingFrame(low: number, high: number, mask: number | null): Buffer {
  pingPayload.writeInt32LE(low, 0);
  pingPayload.writeInt32LE(high, 4);
  return controlFrame(OPCODE_PING, pingPayload, mask);
}

/** Whether a pong answers the ping with these two integers. */
export function isPingPayload(payload: Uint8Array, low: number, high: number): boolean {
  return payload.length === PING_BYTES && int32At(payload, 0) === low && int32At(payload, 4) === high;
}

/**
 * Returns a close frame, without a code if the code must not be sent.
 *
 * @param mask as for {@link pingFrame}
 */
export function closeFrame(code: number, reason: string, mask: number | null): Buffer {
  return controlFrame(OPCODE_CLOSE, closePayload(code, Buffer.from(reason)), mask);
}

/** Whether a frame made by these functions is a close frame. */
export function isCloseFrame(frame: Buffer): boolean {
  return frame[0] === (FIN | OPCODE_CLOSE);
}

/** Reports a frame made by these functions to a tap. */
export function tapOwnFrame(tap: SessionTap, toClient: boolean, frame: Buffer): void {
  const isMasked = (frame[1]! & MASKED) !== 0;
  const payload = Buffer.from(frame.subarray(isMasked ? 6 : 2));
  if (isMasked) for (let at = 0; at < payload.length; at++) payload[at]! ^= frame[2 + (at & 3)]!;
  tap.sent(toClient, frame[0]! & 0x0f, payload);
}

function controlFrame(opcode: number, payload: Uint8Array, mask: number | null): Buffer {
  const { length } = payload;
  const frame = Buffer.allocUnsafe(length + MAX_MASKED_HEAD_BYTES);
  if (mask !== null) return frame.subarray(0, writeMaskedFrame(frame, 0, opcode, payload, mask));
  frame[0] = FIN | opcode;
  frame[1] = length;
  frame.set(payload, 2);
  return frame.subarray(0, length + 2);
}

function int32At(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
