import { isUtf8 } from 'node:buffer';
import { listMembers } from '../http/request-head.ts';
import {
  CLOSE_MESSAGE_TOO_BIG,
  CLOSE_NO_STATUS,
  CLOSE_PROTOCOL_ERROR,
  isSendableCloseCode,
} from './close-codes.ts';
import {
  headFault,
  headLength,
  MAX_CONTROL_PAYLOAD_BYTES,
  OVER_63_BITS,
  payloadLength,
  type ReservedBits,
} from './frame-head.ts';
import { OPCODE_BINARY, OPCODE_CLOSE, OPCODE_PING, OPCODE_TEXT } from './opcodes.ts';

/** What the frames of one direction must obey. Many sessions share one object. */
export interface FrameRules {
  /** Whether each frame must be masked, as a client's, or none may be. */
  readonly masked: boolean;
  readonly extensions: ReservedBits;
  /** Max payload bytes on the wire of one message over all its fragments; Infinity for no limit. */
  readonly maxMessageSize: number;
}

/** The longest control frame: 2 bytes, a mask of 4, 125 of payload. It is longer than any head. */
const MAX_HELD_BYTES = 131;

const FIN = 0x80;
const MASKED = 0x80;
/** The reserved bit of permessage-deflate (RFC 7692 section 6). */
const DEFLATED = 0x40;
/** First bytes of messages in one frame. */
const TEXT = FIN | OPCODE_TEXT;
const BINARY = FIN | OPCODE_BINARY;
/** The longest payload whose length stands in the second byte. */
const MAX_SHORT_BYTES = 125;
/** The bit of an opcode that tells control frames from data frames. */
const CONTROL = 0x08;
/** Bits of the tracker's state. */
const IN_MESSAGE = 1;
/** The data frame under way is the last of its message. */
const IS_LAST = 2;
const IS_STOPPED = 4;

const NOTHING = new Uint8Array(0);
/** Payloads of control frames are unmasked here; the thread's trackers share it. */
const controlPayload = Buffer.alloc(MAX_CONTROL_PAYLOAD_BYTES);
/** Its beginnings of each length, made when they are first needed. */
const controlViews: (Buffer | undefined)[] = Array.from<undefined>({ length: MAX_CONTROL_PAYLOAD_BYTES + 1 });

/** Returns the reserved bits that extensions may use. @param extensions the agreed value of Sec-WebSocket-Extensions */
export function reservedBitsOf(extensions: string): ReservedBits {
  const agreed = listMembers(extensions);
  if (agreed.length === 0) return 'none';
  return agreed.length === 1 && /^permessage-deflate(?:[ \t;]|$)/i.test(agreed[0]!) ? 'deflate' : 'any';
}

/**
 * Follows the frames of one direction (RFC 6455 section 5), which may be cut at any byte, and tells which bytes to pass
 * on. It changes and decodes nothing. An incomplete head or control frame is held until it is whole; payload of data
 * frames never is. So the bytes that have been passed on end between two frames, or inside the payload of a data frame.
 *
 * A subclass receives the findings. Every session has two trackers, and separate receivers would take memory.
 */
export abstract class FrameTracker<Rules extends FrameRules = FrameRules> {
  /** Data messages that have ended. */
  messages = 0;
  /** Payload bytes of data frames that have passed. */
  bytes = 0;
  /** Payload bytes of the data frame under way that have not passed yet; 0 between frames. Not to be written from outside. */
  payloadLeft = 0;
  readonly rules: Rules;
  #state = 0;
  /** Payload bytes of all frames so far of the message under way, the rest of the current one included. */
  #messageBytes = 0;
  /** An incomplete head or control frame from its first byte; null without one. */
  #held: Buffer | null = null;
  #heldLength = 0;

  constructor(rules: Rules) {
    this.rules = rules;
  }

  /**
   * Takes bytes to pass on, in their order. They are valid during the call only. {@link stop} may be called meanwhile.
   * `payloadLeft` tells whether they end between frames.
   */
  protected abstract framesPassed(input: Buffer, start: number, end: number): void;
  /** A ping has come, whose frame will be passed on. @param payload unmasked, valid during the call only */
  protected abstract framePing(payload: Buffer): void;
  /** A pong has come. Returns false if it must not be passed on. @param payload as of {@link framePing} */
  protected abstract framePong(payload: Buffer): boolean;
  /** Whether a close frame that has come is passed on. Asked before {@link frameClose}. */
  protected closePasses(): boolean {
    return true;
  }
  /** A valid close frame, passed on if {@link closePasses}. Nothing is read after it. @param code 1005 for none */
  protected abstract frameClose(code: number, reason: Buffer): void;
  /** The sender broke the protocol. All frames before have been passed on, and nothing is read any more. */
  protected abstract frameFailed(code: number, reason: string): void;

  /** The bytes that are held, of an incomplete head or control frame. Valid until the next read. */
  get heldPart(): Uint8Array {
    return this.#held?.subarray(0, this.#heldLength) ?? NOTHING;
  }

  /** Whether nothing more is read: after {@link stop}, a close frame, or a fault. */
  get isStopped(): boolean {
    return (this.#state & IS_STOPPED) !== 0;
  }

  /** Stops reading: the rest of the input is ignored, also within the current call. Held bytes are dropped. */
  stop(): void {
    this.#state |= IS_STOPPED;
    this.#release();
  }

  /** Counts bytes of the payload under way that have gone another way, at most {@link payloadLeft}. Calls nothing. */
  skip(bytes: number): void {
    this.bytes += bytes;
    this.payloadLeft -= bytes;
    if (this.payloadLeft === 0) this.#endFrame();
  }

  /** Reads `input[start, end)`. */
  track(input: Buffer, start: number, end: number): void {
    let from = start;
    if (this.#heldLength > 0) from = this.#completeHeld(input, start, end);
    let at = from;
    while (at < end && (this.#state & IS_STOPPED) === 0) {
      if (this.payloadLeft > 0) {
        const taken = Math.min(this.payloadLeft, end - at);
        at += taken;
        this.skip(taken);
        continue;
      }
      if ((this.#state & IN_MESSAGE) === 0) at = this.#skipShort(input, at, end);
      if (at === end) break;
      const isBegun = end - at >= 2;
      if (isBegun && !this.#checkStart(input, from, at)) return;
      const head = isBegun ? headLength(input[at + 1]!) : 2;
      if (end - at < head) {
        this.#pass(input, from, at);
        this.#hold(input, at, end);
        return;
      }
      const length = this.#checkLength(input, from, at);
      if (length < 0) return;
      if ((input[at]! & CONTROL) === 0) {
        this.#begin(input[at]!, length);
        at += head;
        continue;
      }
      const behind = at + head + length;
      if (behind > end) {
        this.#pass(input, from, at);
        this.#hold(input, at, end);
        return;
      }
      from = this.#control(input, from, at, behind);
      at = behind;
    }
    this.#pass(input, from, at);
  }

  /**
   * Counts whole messages of less than 126 bytes in one frame, which most messages are, in a loop of their own.
   *
   * @returns the offset of the first byte that is not of such a message
   */
  #skipShort(input: Buffer, start: number, end: number): number {
    const { masked, extensions, maxMessageSize } = this.rules;
    const mask = masked ? MASKED : 0;
    const head = masked ? 6 : 2;
    const ignored = extensions === 'none' ? 0 : DEFLATED;
    let at = start;
    let count = 0;
    while (end - at > head) {
      const kind = input[at]! & ~ignored;
      const length = input[at + 1]! ^ mask;
      const behind = at + head + length;
      if ((kind !== TEXT && kind !== BINARY) || length > MAX_SHORT_BYTES || length > maxMessageSize) break;
      if (behind > end) break;
      at = behind;
      count++;
    }
    this.messages += count;
    this.bytes += at - start - count * head;
    return at;
  }

  #pass(input: Buffer, from: number, to: number): void {
    if (from < to && (this.#state & IS_STOPPED) === 0) this.framesPassed(input, from, to);
  }

  /**
   * Checks the first two bytes of the frame at `at`. If they have a fault, passes `input[from, at)` on, and stops.
   *
   * @returns false after a fault
   */
  #checkStart(input: Buffer, from: number, at: number): boolean {
    const { masked, extensions } = this.rules;
    const isInMessage = (this.#state & IN_MESSAGE) !== 0;
    const fault = headFault(input[at]!, input[at + 1]!, masked, extensions, isInMessage);
    if (fault === null) return true;
    this.#fail(input, from, at, CLOSE_PROTOCOL_ERROR, fault);
    return false;
  }

  /**
   * Checks the length in the complete head at `at`, as {@link #checkStart} does.
   *
   * @returns the payload's length; -1 after a fault
   */
  #checkLength(input: Buffer, from: number, at: number): number {
    const length = payloadLength(input, at);
    if (length < 0) {
      const reason = length === OVER_63_BITS ? 'frame too long' : 'length not minimal';
      return this.#fail(input, from, at, CLOSE_PROTOCOL_ERROR, reason);
    }
    // Numbers above 2^53 are not exact, so no message may be longer, whatever the limit is.
    const max = Math.min(this.rules.maxMessageSize, 2 ** 53);
    if ((input[at]! & CONTROL) === 0 && length + this.#messageBytes > max)
      return this.#fail(input, from, at, CLOSE_MESSAGE_TOO_BIG, 'message too long');
    return length;
  }

  /** Starts a data frame whose head has come. */
  #begin(first: number, length: number): void {
    this.#state |= (first & FIN) === 0 ? IN_MESSAGE : IN_MESSAGE | IS_LAST;
    this.#messageBytes += length;
    this.payloadLeft = length;
    if (length === 0) this.#endFrame();
  }

  #endFrame(): void {
    if ((this.#state & IS_LAST) === 0) return;
    this.#state &= ~(IN_MESSAGE | IS_LAST);
    this.#messageBytes = 0;
    this.messages++;
  }

  /**
   * Reports the whole control frame `input[at, behind)`.
   *
   * @param from start of the bytes that have not been passed on yet
   * @returns the new start of those bytes
   */
  #control(input: Buffer, from: number, at: number, behind: number): number {
    const opcode = input[at]! & 0x0f;
    const payload = unmasked(input, at);
    if (opcode === OPCODE_PING) {
      this.framePing(payload);
      return from;
    }
    if (opcode !== OPCODE_CLOSE) {
      if (this.framePong(payload)) return from;
      this.#pass(input, from, at);
      return behind;
    }
    const fault = closeFault(payload);
    if (fault !== null) {
      this.#fail(input, from, at, CLOSE_PROTOCOL_ERROR, fault);
      return behind;
    }
    this.#pass(input, from, this.closePasses() ? behind : at);
    if (!this.isStopped) {
      this.stop();
      const code = payload.length === 0 ? CLOSE_NO_STATUS : payload.readUInt16BE(0);
      this.frameClose(code, payload.subarray(2));
    }
    return behind;
  }

  /** Holds `input[at, end)`, which is shorter than {@link MAX_HELD_BYTES}. */
  #hold(input: Buffer, at: number, end: number): void {
    if (this.isStopped) return;
    this.#held = Buffer.allocUnsafe(MAX_HELD_BYTES);
    this.#heldLength = input.copy(this.#held, 0, at, end);
  }

  /** Fills the held head or control frame, and handles it when it is whole. Returns the end of the used input. */
  #completeHeld(input: Buffer, start: number, end: number): number {
    const held = this.#held!;
    let at = start;
    for (;;) {
      const isBegun = this.#heldLength >= 2;
      if (isBegun && !this.#checkStart(held, 0, 0)) return end;
      const head = isBegun ? headLength(held[1]!) : 2;
      let needed = head;
      if (isBegun && this.#heldLength >= head) {
        const length = this.#checkLength(held, 0, 0);
        if (length < 0) return end;
        if ((held[0]! & CONTROL) === 0) {
          this.#release();
          this.#begin(held[0]!, length);
          this.#pass(held, 0, head);
          return at;
        }
        needed = head + length;
        if (this.#heldLength === needed) {
          this.#release();
          if (this.#control(held, 0, 0, needed) === 0) this.#pass(held, 0, needed);
          return at;
        }
      }
      if (at === end) return at;
      const taken = Math.min(needed - this.#heldLength, end - at);
      input.copy(held, this.#heldLength, at, at + taken);
      this.#heldLength += taken;
      at += taken;
    }
  }

  #release(): void {
    this.#held = null;
    this.#heldLength = 0;
  }

  #fail(input: Buffer, from: number, at: number, code: number, reason: string): -1 {
    this.#pass(input, from, at);
    if (!this.isStopped) {
      this.stop();
      this.frameFailed(code, reason);
    }
    return -1;
  }
}

/** Finds the fault of a close frame's payload (RFC 6455 section 5.5.1). */
function closeFault(payload: Buffer): string | null {
  if (payload.length === 0) return null;
  if (payload.length === 1 || !isSendableCloseCode(payload.readUInt16BE(0))) return 'bad close code';
  return isUtf8(payload.subarray(2)) ? null : 'close reason is not UTF-8';
}

/** Copies the payload of the whole control frame at `at` into memory that all trackers share, without its mask. */
function unmasked(input: Buffer, at: number): Buffer {
  const length = input[at + 1]! & 0x7f;
  const isMasked = (input[at + 1]! & 0x80) !== 0;
  const start = at + (isMasked ? 6 : 2);
  for (let index = 0; index < length; index++) {
    controlPayload[index] = input[start + index]! ^ (isMasked ? input[at + 2 + (index & 3)]! : 0);
  }
  return (controlViews[length] ??= controlPayload.subarray(0, length));
}
