import { MAX_MASKED_HEAD_BYTES, writeMaskedFrame } from '../../src/wire/frames/frame-writer.ts';
import { OPCODE_BINARY, OPCODE_PING, OPCODE_TEXT } from '../../src/wire/frames/opcodes.ts';
import { meanSize, sampleSizes, sizeBounds, type SizeDistribution } from '../options/size-distribution.ts';

/** Memory for adjacent copies of a message, if all have one size. A run of copies goes out in one write. */
const UNIFORM_BYTES = 256 * 1024;
/** Max number of messages if sizes vary, and their approximate max memory. */
const VARIED_COUNT = 1024;
const VARIED_BYTES = 64 * 1024 * 1024;
const MIN_VARIED_COUNT = 16;
const PING_PAYLOAD = 4;
const FIRST_PRINTABLE = 0x20;
const PRINTABLES = 95;

export interface PoolOptions {
  readonly sizes: SizeDistribution;
  readonly framing: 'none' | 'binary' | 'text';
  /** Max messages in flight per connection. */
  readonly inFlight: number;
  /** Whether a ping follows each message. It carries the message's index in the pool (4 bytes). */
  readonly pings: boolean;
  /** Allocates memory for all messages. */
  readonly allocate: (size: number) => Buffer;
}

/**
 * Messages in wire format, made before the run: masked frames or bare bytes. They are adjacent: any run of
 * them is a single write.
 */
export class MessagePool {
  readonly count: number;
  /** Whether all messages are equal, so that every run can start at the first message. */
  readonly uniform: boolean;
  /** Payload length of each message. */
  readonly lengths: Uint32Array;
  readonly #bytes: Buffer;
  /** Offset of each message, and the end of the last one. */
  readonly #offsets: Float64Array;
  readonly #fromFirst: Buffer[] = [];
  readonly #singles: Buffer[] = [];

  /** @param random returns 32 random bits, for masks and for incompressible payload */
  constructor(options: PoolOptions, random: () => number) {
    const { sizes, framing, pings, allocate } = options;
    const { min, max } = sizeBounds(sizes);
    this.uniform = min === max && !pings;
    this.count = countOf(options);
    this.lengths = sampleSizes(sizes, this.count);
    this.#offsets = new Float64Array(this.count + 1);
    const overhead =
      framing === 'none' ? 0 : MAX_MASKED_HEAD_BYTES + (pings ? MAX_MASKED_HEAD_BYTES + PING_PAYLOAD : 0);
    const total = this.lengths.reduce((sum, length) => sum + length + overhead, 0);
    this.#bytes = allocate(total);
    const payload = makePayload(max, framing === 'text', random);
    let at = 0;
    for (let index = 0; index < this.count; index++) {
      this.#offsets[index] = at;
      const message = payload.subarray(0, this.lengths[index]);
      if (framing === 'none') {
        at += message.copy(this.#bytes, at);
        continue;
      }
      const opcode = framing === 'text' ? OPCODE_TEXT : OPCODE_BINARY;
      at = writeMaskedFrame(this.#bytes, at, opcode, message, random());
      if (pings) at = writeMaskedFrame(this.#bytes, at, OPCODE_PING, placeOf(index), random());
    }
    this.#offsets[this.count] = at;
  }

  /**
   * Returns the bytes of `count` messages, starting at `first`. The run must not pass the end of the pool.
   */
  run(first: number, count: number): Buffer {
    const known = first === 0 ? this.#fromFirst[count] : count === 1 ? this.#singles[first] : undefined;
    if (known !== undefined) return known;
    const bytes = this.#bytes.subarray(this.#offsets[first], this.#offsets[first + count]);
    if (first === 0) this.#fromFirst[count] = bytes;
    else if (count === 1) this.#singles[first] = bytes;
    return bytes;
  }
}

function countOf({ sizes, inFlight, pings }: PoolOptions): number {
  const { min, max } = sizeBounds(sizes);
  // An index must not be reused while its message is in flight.
  const distinct = pings ? 2 * inFlight : 1;
  if (min === max) return Math.max(distinct, Math.min(inFlight, Math.ceil(UNIFORM_BYTES / (max + 1))));
  const fitting = Math.floor(VARIED_BYTES / meanSize(sizes));
  return Math.max(distinct, MIN_VARIED_COUNT, Math.min(VARIED_COUNT, fitting));
}

function placeOf(index: number): Buffer {
  const place = Buffer.alloc(PING_PAYLOAD);
  place.writeUInt32BE(index);
  return place;
}

function makePayload(length: number, printable: boolean, random: () => number): Buffer {
  const payload = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; at++) {
    const byte = random() & 0xff;
    payload[at] = printable ? FIRST_PRINTABLE + (byte % PRINTABLES) : byte;
  }
  return payload;
}
