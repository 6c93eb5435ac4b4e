import { headLength, MAX_CONTROL_PAYLOAD_BYTES } from './frame-head.ts';
import { OPCODE_CLOSE } from './opcodes.ts';

const FIN = 0x80;
/** The bit of an opcode that tells control frames from data frames. */
const CONTROL = 0x08;
const MASKED = 0x80;
/** Of a masked frame with a length of 8 bytes. */
const MAX_HEAD_BYTES = 14;
/** Payload is unmasked in steps of this many bytes. A multiple of 4, the length of a mask. */
const STEP_BYTES = 16 * 1024;
/** Place of the first byte of a frame that had begun before the observer. */
const UNKNOWN = -1;
/** Place of the payload under way of an observer that reads nothing. */
const RESTING = -1;
const NO_CODE = -1;

/** Payloads are unmasked here. The thread's observers share it. */
const scratch = Buffer.allocUnsafeSlow(STEP_BYTES);

/** Where an observer begins: see `FramePosition` of `telemetry/tap/`. */
export interface ObservedPlace {
  /** Payload bytes of the data frame under way that are still to come; 0 between frames. */
  readonly payloadLeft: number;
  /** The bytes of an incomplete frame that have come before, from its first byte. */
  readonly heldPart: Uint8Array;
}

/**
 * Observes the WebSocket frames of one direction (RFC 6455 section 5), which may be masked, and cut at any byte. An observer
 * decides nothing for the session, so it is lenient: it tells unknown opcodes and reserved bits as they are. It can begin
 * anywhere, also inside a frame. It keeps no payload, throws nothing, and takes bounded memory.
 *
 * A subclass receives the findings. It may call {@link rest} meanwhile.
 */
export abstract class FrameObserver {
  /** First byte of the frame under way; {@link UNKNOWN} if the frame had begun before the observer. */
  #first = 0;
  #length = 0;
  /** Payload bytes of the frame under way that are still to come; {@link RESTING} if nothing is read. */
  #left = RESTING;
  /** Payload bytes of the frame under way that the subclass wants: its beginning. */
  #wanted = 0;
  /** The mask of the frame under way as 32 bits, the lowest byte first; 0 for none. */
  #mask = 0;
  #code = NO_CODE;
  /** An incomplete head from its first byte; null without one. */
  #held: Uint8Array | null = null;
  #heldLength = 0;

  /**
   * A frame's head has come.
   *
   * @param first the first byte: FIN, reserved bits and opcode
   * @param length payload bytes
   * @returns how many bytes of the payload are wanted, from its beginning
   */
  protected abstract frameBegan(first: number, length: number): number;
  /** The next part of the wanted payload has come: `bytes[start, end)`, not masked, and valid during the call only. */
  protected abstract payloadCame(bytes: Uint8Array, start: number, end: number): void;
  /** Wanted payload has crossed unseen. */
  protected abstract payloadMissed(): void;
  /**
   * The last byte of the frame has come.
   *
   * @param code of a close frame; -1 without a code, and for other frames
   */
  protected abstract frameEnded(first: number, length: number, code: number): void;
  /** The sender broke the protocol, so that no frame can be found any more. The observer rests. */
  protected abstract frameNonsense(reason: string): void;

  /** Whether nothing is read: before {@link join}, and after {@link rest} or nonsense. */
  get isResting(): boolean {
    return this.#left === RESTING;
  }

  /** Forgets where the frames stand, and reads nothing until {@link join}. The rest of the input is ignored. */
  rest(): void {
    this.#left = RESTING;
    this.#held = null;
    this.#heldLength = 0;
  }

  /** Begins at a place. The rest of a frame under way is passed over: nothing is told of that frame. */
  join({ payloadLeft, heldPart }: ObservedPlace): void {
    this.rest();
    this.#first = UNKNOWN;
    this.#wanted = 0;
    this.#length = this.#left = payloadLeft;
    this.observe(heldPart, 0, heldPart.length);
  }

  /** Reads `input[start, end)`. Does nothing while the observer rests. */
  observe(input: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end && this.#left !== RESTING) {
      at = this.#left > 0 ? this.#payload(input, at, end) : this.#head(input, at, end);
    }
  }

  /** Passes over payload of the frame under way that has crossed unseen. More bytes than are to come make it rest. */
  skip(bytes: number): void {
    if (this.#left === RESTING || bytes <= 0) return;
    if (bytes > this.#left) {
      this.rest();
      return;
    }
    if (this.#length - this.#left < this.#wanted) {
      this.#wanted = 0;
      this.payloadMissed();
    }
    this.#take(bytes);
  }

  /** Reads a head, or holds its beginning. Returns the end of the used input. */
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

  /** Begins the frame whose complete head is at `at`. */
  #begin(input: Uint8Array, at: number, head: number): void {
    const first = input[at]!;
    const second = input[at + 1]!;
    const length = lengthOf(input, at);
    const fault = faultOf(first, second, length);
    if (fault !== null) {
      this.rest();
      this.frameNonsense(fault);
      return;
    }
    this.#first = first;
    this.#length = this.#left = length;
    this.#mask = (second & MASKED) === 0 ? 0 : maskAt(input, at + head - 4);
    this.#code = NO_CODE;
    this.#wanted = Math.min(length, this.frameBegan(first, length));
    if (this.#left === 0) this.#end();
  }

  /** Reads payload. Returns the end of the used input. */
  #payload(input: Uint8Array, start: number, end: number): number {
    const stop = Math.min(end, start + this.#left);
    if (this.#first === UNKNOWN) {
      this.#take(stop - start);
      return stop;
    }
    const offset = this.#length - this.#left;
    if ((this.#first & 0x0f) === OPCODE_CLOSE && offset < 2) this.#readCode(input, start, stop, offset);
    const wanted = Math.min(this.#wanted - offset, stop - start);
    if (wanted > 0) this.#tell(input, start, start + wanted, offset);
    // The subclass may have ended the observation.
    if (this.#left !== RESTING) this.#take(stop - start);
    return stop;
  }

  #readCode(input: Uint8Array, start: number, end: number, offset: number): void {
    for (let index = offset; index < 2 && index < this.#length && start + index - offset < end; index++) {
      const byte = input[start + index - offset]! ^ ((this.#mask >>> (8 * index)) & 0xff);
      // A payload of one byte has no code.
      if (index === 0) this.#code = this.#length < 2 ? NO_CODE : byte << 8;
      else this.#code |= byte;
    }
  }

  /** Tells `input[start, end)`, which has come at an offset of the payload, without its mask. */
  #tell(input: Uint8Array, start: number, end: number, offset: number): void {
    if (this.#mask === 0) {
      this.payloadCame(input, start, end);
      return;
    }
    const turn = (offset & 3) * 8;
    const mask = turn === 0 ? this.#mask : (this.#mask >>> turn) | (this.#mask << (32 - turn));
    for (let at = start; at < end && this.#left !== RESTING; at += STEP_BYTES) {
      const length = Math.min(STEP_BYTES, end - at);
      scratch.set(input.subarray(at, at + length));
      for (let index = 0; index < length; index++) scratch[index]! ^= (mask >>> (8 * (index & 3))) & 0xff;
      this.payloadCame(scratch, 0, length);
    }
  }

  /** Passes over payload, and ends the frame behind its last byte. */
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

/** Returns the length of the payload behind the complete head at `at`; -1 if it is not minimal or above 2^53. */
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
  if ((first & CONTROL) === 0) return null;
  if ((first & FIN) === 0) return 'fragmented control frame';
  return (second & 0x7f) > MAX_CONTROL_PAYLOAD_BYTES ? 'control frame over 125 bytes' : null;
}

function maskAt(input: Uint8Array, at: number): number {
  return input[at]! | (input[at + 1]! << 8) | (input[at + 2]! << 16) | (input[at + 3]! << 24);
}
