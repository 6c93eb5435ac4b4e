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
import { CONTROL_BIT, OPCODE_BINARY, OPCODE_CLOSE, OPCODE_PING, OPCODE_TEXT } from './opcodes.ts';

/** Rules for the frames of one direction. Sessions share these objects. */
export interface FrameRules {
  /** Whether every frame must be masked (clients). If false, no frame may be masked (servers). */
  readonly masked: boolean;
  readonly extensions: ReservedBits;
  /** Max payload bytes of a message on the wire, summed over its fragments; Infinity for no limit. */
  readonly maxMessageSize: number;
}

/** Longest control frame: head of 2, mask of 4, payload of 125. Longer than any frame head. */
const MAX_HELD_BYTES = 131;

const FIN = 0x80;
const MASKED = 0x80;
/** The reserved bit of permessage-deflate (RFC 7692 section 6). */
const DEFLATED = 0x40;
/** First bytes of unfragmented messages. */
const TEXT = FIN | OPCODE_TEXT;
const BINARY = FIN | OPCODE_BINARY;
/** Max payload length that fits the second byte. */
const MAX_SHORT_BYTES = 125;
/** Bits of the tracker's state. */
const IN_MESSAGE = 1;
/** The current data frame is the last of its message. */
const IS_LAST = 2;
const IS_STOPPED = 4;

const NOTHING = new Uint8Array(0);
/** Unmasked payloads of control frames. All trackers of the thread share this buffer. */
const controlPayload = Buffer.alloc(MAX_CONTROL_PAYLOAD_BYTES);
/** Views of its first n bytes, created on first use. */
const controlViews: (Buffer | undefined)[] = Array.from<undefined>({ length: MAX_CONTROL_PAYLOAD_BYTES + 1 });

/** Returns the reserved bits that the agreed value of Sec-WebSocket-Extensions may use. */
export function reservedBitsOf(extensions: string): ReservedBits {
  const agreed = listMembers(extensions);
  if (agreed.length === 0) return 'none';
  return agreed.length === 1 && /^permessage-deflate(?:[ \t;]|$)/i.test(agreed[0]!) ? 'deflate' : 'any';
}

/**
 * Follows the frames of one direction (RFC 6455 section 5), cut at any byte, and decides which bytes to
 * forward. It neither changes nor decodes data. It holds an incomplete head or control frame until that is
 * whole, but never data payload. So forwarded bytes always end between two frames or inside a data payload.
 *
 * A subclass receives the frames: every session has two trackers, and separate receivers would cost memory.
 */
export abstract class FrameTracker<Rules extends FrameRules = FrameRules> {
  /** Completed data messages. */
  messages = 0;
  /** Forwarded payload bytes of data frames. */
  bytes = 0;
  /** Remaining payload bytes of the current data frame; 0 between frames. Read-only outside this class. */
  payloadLeft = 0;
  readonly rules: Rules;
  #state = 0;
  /** Payload bytes of the current message, including all of its current frame. */
  #messageBytes = 0;
  /** An incomplete head or control frame, from its first byte; null without one. */
  #held: Buffer | null = null;
  #heldLength = 0;

  constructor(rules: Rules) {
    this.rules = rules;
  }

  /**
   * Called with bytes to forward, in order, valid only during the call. `payloadLeft` is 0 if they end
   * between frames. The callback may call {@link stop}.
   */
  protected abstract forwardFrames(input: Buffer, start: number, end: number): void;
  /** Called with a ping before it is forwarded. `payload` is unmasked, and valid only during the call. */
  protected abstract framePing(payload: Buffer): void;
  /** Called with a pong. Returns false to drop it. `payload` is as for {@link framePing}. */
  protected abstract framePong(payload: Buffer): boolean;
  /** Whether to forward the close frame that arrived. Called before {@link frameClose}. */
  protected forwardsClose(): boolean {
    return true;
  }
  /** Called with a valid close frame; `code` is 1005 if it has none. The tracker stops first. */
  protected abstract frameClose(code: number, reason: Buffer): void;
  /** Called when the sender breaks the protocol. Earlier frames were forwarded. The tracker stops first. */
  protected abstract frameFailed(code: number, reason: string): void;

  /** The held bytes of an incomplete head or control frame. Valid until the next read. */
  get heldPart(): Uint8Array {
    return this.#held?.subarray(0, this.#heldLength) ?? NOTHING;
  }

  /** Whether reading has ended: after {@link stop}, a close frame, or a protocol error. */
  get isStopped(): boolean {
    return (this.#state & IS_STOPPED) !== 0;
  }

  /** Stops reading. Drops held bytes and ignores the remaining input, including that of the current call. */
  stop(): void {
    this.#state |= IS_STOPPED;
    this.#release();
  }

  /** Counts payload that was forwarded elsewhere, at most {@link payloadLeft}. Makes no callbacks. */
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
      if ((input[at]! & CONTROL_BIT) === 0) {
        this.#begin(input[at]!, length);
        at += head;
        continue;
      }
      const next = at + head + length;
      if (next > end) {
        this.#pass(input, from, at);
        this.#hold(input, at, end);
        return;
      }
      from = this.#control(input, from, at, next);
      at = next;
    }
    this.#pass(input, from, at);
  }

  /**
   * Counts unfragmented messages shorter than 126 bytes, the usual case, in a tight loop. Returns the offset
   * after them.
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
      const next = at + head + length;
      if ((kind !== TEXT && kind !== BINARY) || length > MAX_SHORT_BYTES || length > maxMessageSize) break;
      if (next > end) break;
      at = next;
      count++;
    }
    this.messages += count;
    this.bytes += at - start - count * head;
    return at;
  }

  #pass(input: Buffer, from: number, to: number): void {
    if (from < to && (this.#state & IS_STOPPED) === 0) this.forwardFrames(input, from, to);
  }

  /**
   * Checks the first two bytes of the frame at `at`. On an error, forwards `input[from, at)`, stops, and
   * returns false.
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
   * Checks the length in the complete head at `at`. Errors are handled as in {@link #checkStart}.
   *
   * @returns the payload length; -1 after an error
   */
  #checkLength(input: Buffer, from: number, at: number): number {
    const length = payloadLength(input, at);
    if (length < 0) {
      const reason = length === OVER_63_BITS ? 'frame too long' : 'length not minimal';
      return this.#fail(input, from, at, CLOSE_PROTOCOL_ERROR, reason);
    }
    // Numbers above 2^53 are not exact, so longer messages are refused whatever the limit.
    const max = Math.min(this.rules.maxMessageSize, 2 ** 53);
    if ((input[at]! & CONTROL_BIT) === 0 && length + this.#messageBytes > max)
      return this.#fail(input, from, at, CLOSE_MESSAGE_TOO_BIG, 'message too long');
    return length;
  }

  /** Starts a data frame after its head. */
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
   * Handles the whole control frame `input[at, next)`.
   *
   * @param from start of the bytes not yet forwarded
   * @returns the new start of the bytes not yet forwarded
   */
  #control(input: Buffer, from: number, at: number, next: number): number {
    const opcode = input[at]! & 0x0f;
    const payload = unmasked(input, at);
    if (opcode === OPCODE_PING) {
      this.framePing(payload);
      return from;
    }
    if (opcode !== OPCODE_CLOSE) {
      if (this.framePong(payload)) return from;
      this.#pass(input, from, at);
      return next;
    }
    const fault = closeFault(payload);
    if (fault !== null) {
      this.#fail(input, from, at, CLOSE_PROTOCOL_ERROR, fault);
      return next;
    }
    this.#pass(input, from, this.forwardsClose() ? next : at);
    if (!this.isStopped) {
      this.stop();
      const code = payload.length === 0 ? CLOSE_NO_STATUS : payload.readUInt16BE(0);
      this.frameClose(code, payload.subarray(2));
    }
    return next;
  }

  /** Holds `input[at, end)`, which is shorter than {@link MAX_HELD_BYTES}. */
  #hold(input: Buffer, at: number, end: number): void {
    if (this.isStopped) return;
    this.#held = Buffer.allocUnsafe(MAX_HELD_BYTES);
    this.#heldLength = input.copy(this.#held, 0, at, end);
  }

  /** Fills the held frame, and handles it once whole. Returns the end of the consumed input. */
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
        if ((held[0]! & CONTROL_BIT) === 0) {
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

/** Checks the payload of a close frame (RFC 6455 section 5.5.1). Returns the error, or null. */
function closeFault(payload: Buffer): string | null {
  if (payload.length === 0) return null;
  if (payload.length === 1 || !isSendableCloseCode(payload.readUInt16BE(0))) return 'bad close code';
  return isUtf8(payload.subarray(2)) ? null : 'close reason is not UTF-8';
}

/** Unmasks the payload of the whole control frame at `at` into the shared buffer. */
function unmasked(input: Buffer, at: number): Buffer {
  const length = input[at + 1]! & 0x7f;
  const isMasked = (input[at + 1]! & 0x80) !== 0;
  const start = at + (isMasked ? 6 : 2);
  for (let index = 0; index < length; index++) {
    controlPayload[index] = input[start + index]! ^ (isMasked ? input[at + 2 + (index & 3)]! : 0);
  }
  return (controlViews[length] ??= controlPayload.subarray(0, length));
}
