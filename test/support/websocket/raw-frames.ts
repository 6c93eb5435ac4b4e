/** WebSocket frames as bytes, right or wrong on purpose; written from RFC 6455 section 5.2 and nothing else. */

export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

export interface Frame {
  readonly fin: boolean;
  /** The three reserved bits. */
  readonly reserved: number;
  readonly opcode: number;
  readonly masked: boolean;
  /** Unmasked. */
  readonly payload: Buffer;
}

export interface FrameOptions {
  readonly fin?: boolean;
  readonly reserved?: number;
  /** Four bytes, as a client must have them. */
  readonly mask?: Buffer;
}

/** A frame as its peer should get it, or not, by what the options say. */
export function encodeFrame(
  opcode: number,
  payload: string | Buffer = '',
  options: FrameOptions = {},
): Buffer {
  const { fin = true, reserved = 0, mask } = options;
  const body = Buffer.from(payload);
  const first = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  const maskBit = mask === undefined ? 0 : 0x80;
  let head: Buffer;
  if (body.length < 126) {
    head = Buffer.from([first, maskBit | body.length]);
  } else if (body.length < 65536) {
    head = Buffer.from([first, maskBit | 126, body.length >> 8, body.length & 255]);
  } else {
    head = Buffer.alloc(10);
    head[0] = first;
    head[1] = maskBit | 127;
    head.writeBigUInt64BE(BigInt(body.length), 2);
  }
  if (mask === undefined) return Buffer.concat([head, body]);
  for (let i = 0; i < body.length; i++) body[i]! ^= mask[i & 3]!;
  return Buffer.concat([head, mask, body]);
}

/** The payload of a close frame. */
export function closeBody(code: number, reason: string | Buffer = ''): Buffer {
  return Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]);
}

/** Reads the first frame and its length in bytes; null if it is incomplete. */
export function decodeFrame(bytes: Buffer): { readonly frame: Frame; readonly length: number } | null {
  if (bytes.length < 2) return null;
  const masked = (bytes[1]! & 0x80) !== 0;
  let length = bytes[1]! & 0x7f;
  let at = 2;
  if (length === 126) {
    if (bytes.length < 4) return null;
    length = bytes.readUInt16BE(2);
    at = 4;
  } else if (length === 127) {
    if (bytes.length < 10) return null;
    length = Number(bytes.readBigUInt64BE(2));
    at = 10;
  }
  const mask = masked ? bytes.subarray(at, at + 4) : null;
  if (masked) at += 4;
  if (bytes.length < at + length) return null;
  const payload = Buffer.from(bytes.subarray(at, at + length));
  if (mask !== null) for (let i = 0; i < length; i++) payload[i]! ^= mask[i & 3]!;
  const frame = {
    fin: (bytes[0]! & 0x80) !== 0,
    reserved: (bytes[0]! >> 4) & 7,
    opcode: bytes[0]! & 15,
    masked,
    payload,
  };
  return { frame, length: at + length };
}
