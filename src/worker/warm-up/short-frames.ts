/** Frames of at most 125 bytes (RFC 6455 section 5.2), for both ends of a warm-up. */
const HEAD_BYTES = 2;
const MASK_BYTES = 4;
const OPCODE_TEXT = 1;
const OPCODE_CLOSE = 8;
const FIN = 0x80;
const MASKED = 0x80;

/** A client's text message. The mask is 0. */
export const CLIENT_MESSAGE = clientFrame(OPCODE_TEXT, Buffer.from('{"type":"warm-up"}'));
/** A client's close frame with code 1000. */
export const CLIENT_CLOSE = clientFrame(OPCODE_CLOSE, Buffer.of(0x03, 0xe8));
/** Bytes of the endpoint's echoes. */
export const ECHO_BYTES = CLIENT_MESSAGE.length - MASK_BYTES;
export const CLOSE_BYTES = CLIENT_CLOSE.length - MASK_BYTES;

function clientFrame(opcode: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.of(FIN | opcode, MASKED | payload.length), Buffer.alloc(MASK_BYTES), payload]);
}

/** Returns the unmasked echo of a client's frame. Null if the bytes are not a whole frame. */
export function echoOf(frame: Buffer): Buffer | null {
  const payloadAt = HEAD_BYTES + MASK_BYTES;
  const length = (frame[1] ?? 0) & 0x7f;
  if (frame.length !== payloadAt + length) return null;
  const echo = Buffer.allocUnsafe(HEAD_BYTES + length);
  echo[0] = frame[0]!;
  echo[1] = length;
  for (let at = 0; at < length; at++)
    echo[HEAD_BYTES + at] = frame[payloadAt + at]! ^ frame[HEAD_BYTES + (at & 3)]!;
  return echo;
}

/** Whether a frame is a close frame. */
export function isClose(frame: Buffer): boolean {
  return (frame[0]! & 0x0f) === OPCODE_CLOSE;
}
