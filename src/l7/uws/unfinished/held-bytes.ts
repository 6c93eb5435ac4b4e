/** Messages and control frames that uWS has delivered for one client since its session began. */
export interface Delivered {
  readonly messages: number;
  /** Payload of the messages, after decompression. */
  readonly messageBytes: number;
  readonly controlFrames: number;
  /** Payload of the control frames. */
  readonly controlBytes: number;
}

/** Properties of a session's bytes on the wire. */
export interface WireTraits {
  /** Max bytes of an incomplete message. */
  readonly maxMessageSize: number;
  /** Whether messages may be compressed, so that their size does not reveal their bytes on the wire. */
  readonly compressed: boolean;
  readonly secure: boolean;
}

/** Min head of a client's frame, including the mask (RFC 6455 section 5.2). */
const MIN_FRAME_HEAD_BYTES = 6;
/** Max bytes that TLS adds to a record: a head of 5 bytes, and up to 24 of nonce and tag. */
const TLS_RECORD_BYTES = 29;
/** Max bytes of the TLS handshake and the request head. */
const HANDSHAKE_BYTES = 8 * 1024;
/** Max overhead of a frame before the first sample: the head of a large frame, and TLS records. */
const FRAME_BYTES = 16;
const SECURE_FRAME_BYTES = 64;

/**
 * Estimates the bytes of an incomplete message that a client has sent: received bytes minus the bytes of
 * complete messages. The estimate is too low by at most a few bytes per control frame. It may be too high
 * until the next message is complete.
 */
export class HeldBytes {
  readonly #traits: WireTraits;
  #read: number;
  #messages: number;
  #messageBytes: number;
  #controlFrames: number;
  #controlBytes: number;
  #held: number;

  /**
   * @param read bytes that the socket's owner has read since the connection began
   * @param isYoung whether the session has just started
   */
  constructor(traits: WireTraits, read: number, delivered: Delivered, isYoung: boolean) {
    this.#traits = traits;
    this.#read = read;
    this.#messages = delivered.messages;
    this.#messageBytes = delivered.messageBytes;
    this.#controlFrames = delivered.controlFrames;
    this.#controlBytes = delivered.controlBytes;
    const frames = delivered.messages + delivered.controlFrames;
    const overhead = HANDSHAKE_BYTES + frames * (traits.secure ? SECURE_FRAME_BYTES : FRAME_BYTES);
    // A small compressed message may inflate to a large one, which would hide other bytes from the estimate.
    const payload = traits.compressed && isYoung ? 0 : delivered.messageBytes;
    this.#held = this.#bound(read - overhead - payload - delivered.controlBytes);
  }

  /** Reads the counters again and returns the bytes held now. @param read as for the constructor */
  sample(read: number, delivered: Delivered): number {
    const received = read - this.#read;
    const messages = delivered.messages - this.#messages;
    const controlFrames = delivered.controlFrames - this.#controlFrames;
    let whole = delivered.controlBytes - this.#controlBytes + MIN_FRAME_HEAD_BYTES * controlFrames;
    if (!this.#traits.compressed) {
      whole += delivered.messageBytes - this.#messageBytes + MIN_FRAME_HEAD_BYTES * messages;
    }
    if (this.#traits.secure && messages + controlFrames > 0) whole += TLS_RECORD_BYTES;
    let held = this.#held + received - whole;
    // The first message since the last sample has consumed all bytes held then.
    if (messages > 0) held = Math.min(held, received);
    this.#read = read;
    this.#messages = delivered.messages;
    this.#messageBytes = delivered.messageBytes;
    this.#controlFrames = delivered.controlFrames;
    this.#controlBytes = delivered.controlBytes;
    this.#held = this.#bound(held);
    return this.#held;
  }

  /** Bytes held at the last sample. */
  get value(): number {
    return this.#held;
  }

  #bound(bytes: number): number {
    return Math.max(0, Math.min(bytes, this.#traits.maxMessageSize));
  }
}
