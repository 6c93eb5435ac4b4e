import { isUtf8 } from 'node:buffer';
import { CLOSE_NO_STATUS, isSendableCloseCode } from './close-codes.ts';
import { headFault, headLength, OVER_63_BITS, payloadLength } from './frame-head.ts';
import {
  CONTROL_BIT,
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_CONTINUATION,
  OPCODE_PING,
  OPCODE_PONG,
} from './opcodes.ts';

/**
 * Max payload bytes of an incomplete data frame that the reader holds, so that small messages stay whole.
 * Larger frames are delivered in parts.
 */
export const MAX_HELD_PAYLOAD_BYTES = 16 * 1024;

/** Head of a masked frame, which is refused only after its whole head arrives. */
const MAX_HEAD_BYTES = 14;
const STOPPED = -1;
const EMPTY = Buffer.alloc(0);

/**
 * Reads server-to-client WebSocket frames incrementally (RFC 6455 section 5). Input may be cut at any byte.
 * The reader copies only an incomplete frame: a head, a control frame, or a data frame of up to {@link
 * MAX_HELD_PAYLOAD_BYTES}.
 *
 * A subclass receives the frames: a separate receiver object would cost each session 40 bytes. Payloads are
 * views of the input, valid only during the call.
 */
export abstract class FrameReader {
  /** Remaining payload bytes of the data frame delivered in parts; {@link STOPPED} after {@link stop}. */
  #streaming = 0;
  /** Whether that frame is the last of its message. */
  #streamingFin = false;
  /** Opcode of the current message; 0 between messages. */
  #message = 0;
  /** Whether a part of the current message was delivered. */
  #begun = false;
  /** An incomplete frame, from its first byte. */
  #held: Buffer = EMPTY;
  #heldLength = 0;

  /** Called with a whole message. */
  abstract frameMessage(payload: Uint8Array, binary: boolean): void;
  /** Called with a part of a fragmented message. Only the last part may be empty. */
  abstract frameFragment(payload: Uint8Array, binary: boolean, first: boolean, last: boolean): void;
  abstract framePing(payload: Uint8Array): void;
  abstract framePong(): void;
  /** Called with a valid close frame; `code` is 1005 if the frame has none. The reader stops first. */
  abstract frameClose(code: number, reason: Uint8Array): void;
  /** Called when the peer breaks the protocol. The reader stops first. */
  abstract frameError(reason: string): void;

  /** Stops reading. Ignores the remaining input, including that of the current call. */
  stop(): void {
    this.#streaming = STOPPED;
    this.#held = EMPTY;
    this.#heldLength = 0;
  }

  /** The held bytes of an incomplete frame, from its first byte. Valid until the next read. */
  get heldPart(): Uint8Array {
    return this.#held.subarray(0, this.#heldLength);
  }

  /** Remaining payload bytes of the data frame delivered in parts; 0 without one. */
  get payloadLeft(): number {
    return Math.max(0, this.#streaming);
  }

  /**
   * Reports whether more small frames probably follow. True if `input[start, end)` starts with a frame
   * shorter than `below` bytes that ends inside the input. Also true if the input continues a held frame.
   */
  expectsSmallFrames(input: Buffer, start: number, end: number, below: number): boolean {
    if (this.#streaming > 0) return false;
    if (this.#heldLength > 0) return true;
    const size = end - start;
    if (size < 4) return false;
    const length = input[start + 1]! & 0x7f;
    if (length === 127) return false;
    if (length < 126) return length + 2 < size;
    const extended = input.readUInt16BE(start + 2);
    return extended < below && extended + 4 < size;
  }

  /** Reads `input[start, end)`. Callbacks may call {@link stop}. */
  read(input: Buffer, start: number, end: number): void {
    let at = start;
    if (this.#heldLength > 0) at = this.#completeHeld(input, start, end);
    while (at < end && this.#streaming !== STOPPED) {
      at = this.#streaming > 0 ? this.#stream(input, at, end) : this.#frame(input, at, end);
    }
  }

  /** Delivers the next part of the current data frame. */
  #stream(input: Buffer, at: number, end: number): number {
    const stop = Math.min(end, at + this.#streaming);
    this.#streaming -= stop - at;
    this.#part(view(input, at, stop), this.#streaming === 0 && this.#streamingFin);
    return stop;
  }

  /** Reads one frame at `at`, or holds its start. Returns the start of the next frame. */
  #frame(input: Buffer, at: number, end: number): number {
    const available = end - at;
    const head = available < 2 ? MAX_HEAD_BYTES : headLength(input[at + 1]!);
    if (available < head) return this.#hold(input, at, end, available < 2 ? 2 : head);
    const length = this.#check(input, at);
    if (length < 0) return end;
    const first = input[at]!;
    const bodyEnd = at + head + length;
    if (bodyEnd <= end) {
      this.#deliver(first, view(input, at + head, bodyEnd));
      return bodyEnd;
    }
    if ((first & CONTROL_BIT) !== 0 || length <= MAX_HELD_PAYLOAD_BYTES)
      return this.#hold(input, at, end, head + length);
    this.#begin(first, length);
    return at + head;
  }

  /** Holds `input[at, end)` until the frame has `needed` bytes. */
  #hold(input: Buffer, at: number, end: number, needed: number): number {
    const held = Buffer.allocUnsafe(Math.max(needed, MAX_HEAD_BYTES));
    input.copy(held, 0, at, end);
    this.#held = held;
    this.#heldLength = end - at;
    return end;
  }

  /** Fills the held frame from the input. Returns the end of the consumed input. */
  #completeHeld(input: Buffer, start: number, end: number): number {
    let at = start;
    for (;;) {
      const held = this.#held;
      const head = this.#heldLength < 2 ? 2 : headLength(held[1]!);
      let needed = head;
      let length = 0;
      const first = held[0]!;
      if (this.#heldLength >= head && this.#heldLength >= 2) {
        length = this.#check(held, 0);
        if (length < 0) return end;
        if ((first & CONTROL_BIT) === 0 && length > MAX_HELD_PAYLOAD_BYTES) {
          // Only the head was cut. Deliver the payload in parts instead of holding it.
          this.#release();
          this.#begin(first, length);
          return at;
        }
        needed = head + length;
        if (this.#heldLength === needed) {
          this.#release();
          this.#deliver(first, view(held, head, needed));
          return at;
        }
      }
      if (at === end) return at;
      if (held.length < needed) {
        const larger = Buffer.allocUnsafe(needed);
        held.copy(larger, 0, 0, this.#heldLength);
        this.#held = larger;
      }
      const take = Math.min(needed - this.#heldLength, end - at);
      input.copy(this.#held, this.#heldLength, at, at + take);
      this.#heldLength += take;
      at += take;
    }
  }

  #release(): void {
    this.#held = EMPTY;
    this.#heldLength = 0;
  }

  /** Checks the complete head at `at`. Returns the payload length, or -1 after an error. */
  #check(input: Buffer, at: number): number {
    const fault = headFault(input[at]!, input[at + 1]!, false, 'none', this.#message !== 0);
    if (fault !== null) return this.#fail(fault);
    const length = payloadLength(input, at);
    // Numbers above 2^53 are not exact, and no message is that long.
    if (length === OVER_63_BITS || length >= 2 ** 53) return this.#fail('frame too long');
    return length < 0 ? this.#fail('length not minimal') : length;
  }

  /** Starts a data frame whose payload is delivered as it arrives. */
  #begin(first: number, length: number): void {
    const opcode = first & 0x0f;
    if (opcode !== OPCODE_CONTINUATION) this.#message = opcode;
    this.#streaming = length;
    this.#streamingFin = (first & 0x80) !== 0;
  }

  #deliver(first: number, payload: Uint8Array): void {
    const opcode = first & 0x0f;
    const fin = (first & 0x80) !== 0;
    switch (opcode) {
      case OPCODE_PING:
        this.framePing(payload);
        return;
      case OPCODE_PONG:
        this.framePong();
        return;
      case OPCODE_CLOSE:
        this.#close(payload);
        return;
      default:
        if (opcode !== OPCODE_CONTINUATION) {
          if (fin) {
            this.frameMessage(payload, opcode === OPCODE_BINARY);
            return;
          }
          this.#message = opcode;
        }
        this.#part(payload, fin);
    }
  }

  /** Delivers a part of the current message. Skips an empty part unless it ends the message. */
  #part(payload: Uint8Array, last: boolean): void {
    const binary = this.#message === OPCODE_BINARY;
    const first = !this.#begun;
    if (last) {
      this.#message = 0;
      this.#begun = false;
      if (first) this.frameMessage(payload, binary);
      else this.frameFragment(payload, binary, false, true);
    } else if (payload.length > 0) {
      this.#begun = true;
      this.frameFragment(payload, binary, first, false);
    }
  }

  #close(payload: Uint8Array): void {
    if (payload.length === 0) {
      this.stop();
      this.frameClose(CLOSE_NO_STATUS, payload);
      return;
    }
    const code = payload.length === 1 ? 0 : (payload[0]! << 8) | payload[1]!;
    if (!isSendableCloseCode(code)) {
      this.#fail('bad close code');
      return;
    }
    const reason = payload.subarray(2);
    if (!isUtf8(reason)) {
      this.#fail('close reason is not UTF-8');
      return;
    }
    this.stop();
    this.frameClose(code, reason);
  }

  #fail(reason: string): -1 {
    this.stop();
    this.frameError(reason);
    return -1;
  }
}

function view(buffer: Buffer, start: number, end: number): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset + start, end - start);
}
