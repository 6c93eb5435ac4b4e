import { isUtf8 } from 'node:buffer';
import { OPCODE_CLOSE } from '../../../wire/frames/opcodes.ts';
import type { Withheld } from '../../../wire/recording/records.ts';
import type { Redaction } from '../../../wire/redaction/redaction.ts';

/** Max bytes of a message to assemble, and to apply redaction rules to. */
export const MAX_ASSEMBLED_BYTES = 64 * 1024;

/** The known bytes of a message: its start, or all. */
export interface KnownPayload {
  /** Valid during the call only. */
  readonly bytes: Uint8Array;
  /** Whether `bytes` are the whole message. */
  readonly isWhole: boolean;
}

/** The payload settings of a tap. */
interface PayloadOptions {
  readonly maxBytes: number;
  /** Null without rules. */
  readonly redaction: Redaction | null;
}

/** Max bytes of a UTF-8 character after its first. */
const MAX_CONTINUATION_BYTES = 3;

/** Returns the reason for hiding a payload, as fields of a frame's line. */
export function withheldField(reason: Withheld): string {
  return `,"withheld":"${reason}"`;
}

/**
 * Returns a payload as fields of a frame's line: redacted, then cut. With rules, an incomplete message is
 * withheld, because a rule may need the missing part.
 */
export function payloadFields(
  { bytes, isWhole }: KnownPayload,
  { maxBytes, redaction }: PayloadOptions,
): string {
  if (redaction === null) return shownFields(bytes, isWhole, maxBytes);
  if (!isWhole || bytes.length > MAX_ASSEMBLED_BYTES) return withheldField('too_long');
  const shown = redaction.redactBytes(bytes);
  // Redaction would cost too much.
  if (shown === null) return withheldField('too_long');
  const fields = shownFields(shown, true, maxBytes);
  return shown === bytes ? fields : `${fields},"redacted":true`;
}

/**
 * Returns the part of a control frame's payload to show. The code of a close frame has its own field, so only
 * the reason is shown.
 *
 * @param opcode or the first byte of the frame
 */
export function withoutCode(opcode: number, payload: Uint8Array): Uint8Array {
  return (opcode & 0x0f) === OPCODE_CLOSE ? payload.subarray(2) : payload;
}

function shownFields(bytes: Uint8Array, isWhole: boolean, maxBytes: number): string {
  const isCut = !isWhole || bytes.length > maxBytes;
  const shown = bytes.length > maxBytes ? bytes.subarray(0, maxBytes) : bytes;
  const cut = isCut ? ',"cut":true' : '';
  const textLength = isCut ? wholeCharacters(shown) : shown.length;
  const characters = textLength === shown.length ? shown : shown.subarray(0, textLength);
  if (isUtf8(characters)) return `,"text":${JSON.stringify(textOf(characters))}${cut}`;
  return `,"base64":"${view(shown).toString('base64')}"${cut}`;
}

/** Returns the number of bytes in whole characters, if the bytes are the start of a UTF-8 text. */
function wholeCharacters(bytes: Uint8Array): number {
  const { length } = bytes;
  for (let back = 1; back <= Math.min(length, MAX_CONTINUATION_BYTES + 1); back++) {
    const byte = bytes[length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return needed > back ? length - back : length;
  }
  return length;
}

function textOf(bytes: Uint8Array): string {
  return view(bytes).toString('utf8');
}

function view({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}
