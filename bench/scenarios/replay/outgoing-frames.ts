import type { RandomPool } from '../../../src/core/random-pool.ts';
import { MAX_MASKED_HEAD_BYTES, writeMaskedFrame } from '../../../src/wire/frames/frame-writer.ts';
import { OPCODE_BINARY, OPCODE_PING, OPCODE_TEXT } from '../../../src/wire/frames/opcodes.ts';
import { SEND_PING, SEND_TEXT, type EventLog } from '../../recorded/event-log.ts';

const FILLER_BYTES = 64 * 1024;
const FIRST_PRINTABLE = 0x20;
const PRINTABLES = 95;

/** Writes the frames of recorded clients. */
export class OutgoingFrames {
  readonly #log: EventLog;
  readonly #random: RandomPool;
  /** Random printable characters, valid as text and as binary. Created when first needed. */
  #filler: Buffer | null = null;

  constructor(log: EventLog, random: RandomPool) {
    this.#log = log;
    this.#random = random;
  }

  /**
   * Returns a masked frame with the event's payload. If none is recorded, the payload is random, of the
   * recorded length.
   */
  frameOf(event: number): Buffer {
    const payload = this.#log.payload(event) ?? this.#randomPayload(this.#log.size(event));
    const frame = Buffer.allocUnsafe(MAX_MASKED_HEAD_BYTES + payload.length);
    const opcode = opcodeOf(this.#log.kind(event));
    return frame.subarray(0, writeMaskedFrame(frame, 0, opcode, payload, this.#random.int32()));
  }

  #randomPayload(size: number): Buffer {
    this.#filler ??= this.#makeFiller();
    if (size <= FILLER_BYTES) return this.#filler.subarray(0, size);
    return Buffer.alloc(size, this.#filler);
  }

  #makeFiller(): Buffer {
    const filler = Buffer.allocUnsafe(FILLER_BYTES);
    for (let at = 0; at < FILLER_BYTES; at++) {
      filler[at] = FIRST_PRINTABLE + ((this.#random.int32() & 0xff) % PRINTABLES);
    }
    return filler;
  }
}

function opcodeOf(kind: number): number {
  if (kind === SEND_PING) return OPCODE_PING;
  return kind === SEND_TEXT ? OPCODE_TEXT : OPCODE_BINARY;
}
