import type { FrameRecord } from '../../src/wire/recording/records.ts';

/** A whole message of a recording. */
export interface RecordedMessage {
  readonly isText: boolean;
  /** Payload bytes, uncompressed. Bytes on the wire if the recording has only those. */
  readonly size: number;
  /** Null if it was not recorded, or not in full. */
  readonly payload: Buffer | null;
  /** Whether a redaction rule changed the payload. */
  readonly isRedacted: boolean;
}

/** Joins the recorded frames of one direction into messages. */
export class MessageJoiner {
  /** Whether a message is incomplete, and whether it is text. */
  #inMessage = false;
  #isText = false;
  #length = 0;

  /** Returns a frame's payload. Null if it was not recorded, or not in full. */
  static payloadOf(frame: FrameRecord): Buffer | null {
    if (frame.cut === true || frame.withheld !== undefined) return null;
    if (frame.text !== undefined) return Buffer.from(frame.text);
    if (frame.base64 !== undefined) return Buffer.from(frame.base64, 'base64');
    return null;
  }

  /**
   * Adds a data frame. Returns the message after its last frame. Returns null if more frames follow, or if
   * the first frame is missing.
   */
  push(frame: FrameRecord): RecordedMessage | null {
    if (frame.opcode !== 'continuation') {
      this.#inMessage = true;
      this.#isText = frame.opcode === 'text';
      this.#length = 0;
    }
    if (!this.#inMessage) return null;
    this.#length += frame.length;
    if (frame.fin === false) return null;
    this.#inMessage = false;
    const size = frame.size ?? this.#length;
    const payload = MessageJoiner.payloadOf(frame);
    return {
      isText: this.#isText,
      size,
      payload: payload ?? (size === 0 ? Buffer.alloc(0) : null),
      isRedacted: frame.redacted === true,
    };
  }
}
