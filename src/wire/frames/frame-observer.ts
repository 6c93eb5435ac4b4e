import { headLength, MAX_CONTROL_PAYLOAD_BYTES } from './frame-head.ts';
import { CONTROL_BIT, OPCODE_CLOSE } from './opcodes.ts';

const FIN = 0x80;
const MASKED = 0x80;
/** Head of a masked frame with an 8-byte length. */
const MAX_HEAD_BYTES = 14;
/** Max payload bytes unmasked in one step. A multiple of 4, the length of a mask. */
const STEP_BYTES = 16 * 1024;
/** Value of `#first` if the observer attached inside the frame. */
const UNKNOWN = -1;
/** Value of `#left` while the observer is detached. */
const DETACHED = -1;
const NO_CODE = -1;

/** Unmasked payload. All observers of the thread share this buffer. */
const scratch = Buffer.allocUnsafeSlow(STEP_BYTES);

/** The position at which an observer attaches. See `FramePosition` in `telemetry/tap/`. */
export interface ObservedPosition {
  /** Remaining payload bytes of the current data frame; 0 between frames. */
  readonly payloadLeft: number;
  /** The received bytes of an incomplete frame, from its first byte. */
  readonly heldPart: Uint8Array;
}

/**
 * Observes the WebSocket frames of one direction (RFC 6455 section 5), masked or not. Input may be cut at any
 * byte. The observer decides nothing for the session, so it is lenient: it reports unknown opcodes and
 * reserved bits unchanged. It can attach anywhere, even inside a frame. It keeps no payload, never throws,
 * and uses bounded memory.
 *
 * A subclass receives the frames. Its callbacks may call {@link detach}.
 */
export abstract class FrameObserver {
  /** First byte of the current frame; {@link UNKNOWN} if the observer attached inside it. */
  #first = 0;
  #length = 0;
  /** Remaining payload bytes of the current frame; {@link DETACHED} while nothing is read. */
  #left = DETACHED;
  /** Number of leading payload bytes of the current frame that the subclass wants. */
  #wanted = 0;
  /** Mask of the current frame as 32 bits, lowest byte first; 0 for none. */
  #mask = 0;
  #code = NO_CODE;
  /** An incomplete head, from its first byte; null without one. */
  #held: Uint8Array | null = null;
  #heldLength = 0;

  /**
   * Called after a frame's head.
   *
   * @param first first byte of the frame: FIN, reserved bits and opcode
   * @param length payload bytes
   * @returns the number of leading payload bytes that the subclass wants
   */
  protected abstract frameStarted(first: number, length: number): number;
  /**
   * Called with the next part of the wanted payload: `bytes[start, end)`, unmasked, valid only during the
   * call.
   */
  protected abstract payloadReceived(bytes: Uint8Array, start: number, end: number): void;
  /** Called when wanted payload was forwarded without being observed. */
  protected abstract payloadMissed(): void;
  /**
   * Called after the last byte of a frame.
   *
   * @param code close code; -1 for a close frame without one, and for other frames
   */
  protected abstract frameEnded(first: number, length: number, code: number): void;
  /** Called when the sender breaks the protocol and frame boundaries are lost. The observer has detached. */
  protected abstract frameInvalid(reason: string): void;

  /** Whether nothing is read: before {@link attach}, after {@link detach}, and after a protocol error. */
  get isDetached(): boolean {
    return this.#left === DETACHED;
  }

  /** Whether nothing of a frame is missing: between two frames, or while nothing is read. */
  get isBetweenFrames(): boolean {
    return this.#left <= 0 && this.#heldLength === 0;
  }

  /** Forgets the position. Ignores all input until {@link attach}. */
  detach(): void {
    this.#left = DETACHED;
    this.#held = null;
    this.#heldLength = 0;
  }

  /**
   * Attaches at a position. Skips the remaining payload of the current frame without reporting that frame.
   */
  attach({ payloadLeft, heldPart }: ObservedPosition): void {
    this.detach();
    this.#first = UNKNOWN;
    this.#wanted = 0;
    this.#length = this.#left = payloadLeft;
    this.observe(heldPart, 0, heldPart.length);
  }

  /** Reads `input[start, end)`. Does nothing while detached. */
  observe(input: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end && this.#left !== DETACHED) {
      at = this.#left > 0 ? this.#payload(input, at, end) : this.#head(input, at, end);
    }
  }

  /**
   * Skips payload of the current frame that was forwarded unobserved. Detaches if `bytes` exceeds the
   * remaining payload.
   */
  skip(bytes: number): void {
    if (this.#left === DETACHED || bytes <= 0) return;
    if (bytes > this.#left) {
      this.detach();
      return;
    }
    if (this.#length - this.#left < this.#wanted) {
      this.#wanted = 0;
      this.payloadMissed();
    }
    this.#take(bytes);
  }

  /** Reads a head, or holds its start. Returns the end of the consumed input. */
  #head(input: Uint8Array, at: number, end: number): number {
    if (this.#heldLength > 0) return this.#completeHead(input, at, end);
    const available = end - at;
    const needed = available < 2 ? 2 : headLength(input[at + 1]!);
    if (available < needed) {
      this.#held = new Uint8Array(MAX_HEAD_BYTES);
      this.#held.set(input.subarray(at, end));
      this.#heldLength = available;
      return end;
    }
    this.#begin(input, at, needed);
    return at + needed;
  }

  #completeHead(input: Uint8Array, start: number, end: number): number {
    const held = this.#held!;
    let at = start;
    while (at < end) {
      held[this.#heldLength++] = input[at++]!;
      if (this.#heldLength < 2) continue;
      const needed = headLength(held[1]!);
      if (this.#heldLength < needed) continue;
      this.#held = null;
      this.#heldLength = 0;
      this.#begin(held, 0, needed);
      break;
    }
    return at;
  }

  /** Starts the frame whose complete head is at `at`. */
  #begin(input: Uint8Array, at: number, head: number): void {
    const first = input[at]!;
    const second = input[at + 1]!;
    const length = lengthOf(input, at);
    const fault = faultOf(first, second, length);
    if (fault !== null) {
      this.detach();
      this.frameInvalid(fault);
      return;
    }
    this.#first = first;
    this.#length = this.#left = length;
    this.#mask = (second & MASKED) === 0 ? 0 : maskAt(input, at + head - 4);
    this.#code = NO_CODE;
    this.#wanted = Math.min(length, this.frameStarted(first, length));
    if (this.#left === 0) this.#end();
  }

  /** Reads payload. Returns the end of the consumed input. */
  #payload(input: Uint8Array, start: number, end: number): number {
    const stop = Math.min(end, start + this.#left);
    if (this.#first === UNKNOWN) {
      this.#take(stop - start);
      return stop;
    }
    const offset = this.#length - this.#left;
    if ((this.#first & 0x0f) === OPCODE_CLOSE && offset < 2) this.#readCode(input, start, stop, offset);
    const wanted = Math.min(this.#wanted - offset, stop - start);
    if (wanted > 0) this.#deliver(input, start, start + wanted, offset);
    // The callback may have called `detach`.
    if (this.#left !== DETACHED) this.#take(stop - start);
    return stop;
  }

  #readCode(input: Uint8Array, start: number, end: number, offset: number): void {
    for (let index = offset; index < 2 && index < this.#length && start + index - offset < end; index++) {
      const byte = input[start + index - offset]! ^ ((this.#mask >>> (8 * index)) & 0xff);
      // A one-byte payload has no code.
      if (index === 0) this.#code = this.#length < 2 ? NO_CODE : byte << 8;
      else this.#code |= byte;
    }
  }

  /** Delivers `input[start, end)` unmasked. `offset` is the position of its first byte in the payload. */
  #deliver(input: Uint8Array, start: number, end: number, offset: number): void {
    if (this.#mask === 0) {
      this.payloadReceived(input, start, end);
      return;
    }
    const turn = (offset & 3) * 8;
    const mask = turn === 0 ? this.#mask : (this.#mask >>> turn) | (this.#mask << (32 - turn));
    for (let at = start; at < end && this.#left !== DETACHED; at += STEP_BYTES) {
      const length = Math.min(STEP_BYTES, end - at);
      scratch.set(input.subarray(at, at + length));
      for (let index = 0; index < length; index++) scratch[index]! ^= (mask >>> (8 * (index & 3))) & 0xff;
      this.payloadReceived(scratch, 0, length);
    }
  }

  /** Skips payload bytes. Ends the frame after its last byte. */
  #take(bytes: number): void {
    this.#left -= bytes;
    if (this.#left > 0) return;
    if (this.#first === UNKNOWN) this.#first = 0;
    else this.#end();
  }

  #end(): void {
    this.frameEnded(this.#first, this.#length, this.#code);
  }
}

/** Returns the payload length in the complete head at `at`; -1 if it is not minimal or above 2^53. */
function lengthOf(input: Uint8Array, at: number): number {
  const short = input[at + 1]! & 0x7f;
  if (short < 126) return short;
  if (short === 126) {
    const length = (input[at + 2]! << 8) | input[at + 3]!;
    return length < 126 ? -1 : length;
  }
  let length = 0;
  for (let index = 2; index < 10; index++) length = length * 256 + input[at + index]!;
  return length < 65536 || length > Number.MAX_SAFE_INTEGER ? -1 : length;
}

function faultOf(first: number, second: number, length: number): string | null {
  if (length < 0) return 'bad length';
  if ((first & CONTROL_BIT) === 0) return null;
  if ((first & FIN) === 0) return 'fragmented control frame';
  return (second & 0x7f) > MAX_CONTROL_PAYLOAD_BYTES ? 'control frame over 125 bytes' : null;
}

function maskAt(input: Uint8Array, at: number): number {
  return input[at]! | (input[at + 1]! << 8) | (input[at + 2]! << 16) | (input[at + 3]! << 24);
}
