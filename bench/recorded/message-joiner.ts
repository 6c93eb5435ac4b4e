import type { FrameRecord } from '../../src/wire/recording/records.ts';

/** A whole message of a recording. */
export interface RecordedMessage {
  readonly isText: boolean;
  /** Payload bytes, not compressed; as they were on the wire if that is all that is known. */
  readonly size: number;
  /** Null if it is not recorded, or not whole. */
  readonly payload: Buffer | null;
  /** Whether a rule has replaced something in it. */
  readonly isRedacted: boolean;
}

/** Joins the recorded frames of one direction to messages. */
export class MessageJoiner {
  /** Whether a message is incomplete, and whether it is text. */
  #inMessage = false;
  #isText = false;
  #length = 0;

  /** Returns a frame's payload; null if it is not recorded, or not whole. */
  static payloadOf(frame: FrameRecord): Buffer | null {
    if (frame.cut === true || frame.withheld !== undefined) return null;
    if (frame.text !== undefined) return Buffer.from(frame.text);
    if (frame.base64 !== undefined) return Buffer.from(frame.base64, 'base64');
    return null;
  }

  /**
   * Adds a frame of a message. Returns the message after its last frame. Null if more frames follow, or if
   * the beginning is missing.
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
