/** Frames of at most 125 bytes (RFC 6455 section 5.2), as the two ends of a warm-up write them. */
const HEAD_BYTES = 2;
const MASK_BYTES = 4;
const OPCODE_TEXT = 1;
const OPCODE_CLOSE = 8;
const FIN = 0x80;
const MASKED = 0x80;

/** A text message of a client. The mask is 0. */
export const CLIENT_MESSAGE = clientFrame(OPCODE_TEXT, Buffer.from('{"type":"warm-up"}'));
/** A close frame of a client, with the code 1000. */
export const CLIENT_CLOSE = clientFrame(OPCODE_CLOSE, Buffer.of(0x03, 0xe8));
/** Bytes of the frames that an endpoint sends back. */
export const ECHO_BYTES = CLIENT_MESSAGE.length - MASK_BYTES;
export const CLOSE_BYTES = CLIENT_CLOSE.length - MASK_BYTES;

function clientFrame(opcode: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.of(FIN | opcode, MASKED | payload.length), Buffer.alloc(MASK_BYTES), payload]);
}

/** Returns the frame that sends a client's back, unmasked; null if the bytes are no whole frame. */
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
