import { STAMP_LENGTH } from '../options/plan.ts';

/** Hexadecimal digits of a time: all 64 bits of the number, so that it is read back exactly. */
const DIGITS = 16;
const bits = Buffer.alloc(8);

/**
 * The start of a fan-out message: the run's id and a time. It is printable, so that it is valid in a text
 * message and a server may embed it in another message.
 */
export class Stamp {
  readonly #runId: Buffer;

  /** @param runId 16 ASCII characters */
  constructor(runId: string) {
    this.#runId = Buffer.from(runId, 'latin1');
    if (this.#runId.length !== STAMP_LENGTH - DIGITS) throw new RangeError('a run id has 16 characters');
  }

  /** Writes a time at the start of a message. */
  write(message: Buffer, time: number): void {
    this.#runId.copy(message);
    bits.writeDoubleBE(time);
    message.write(bits.toString('hex'), this.#runId.length, 'latin1');
  }

  /** Returns the time in `bytes[start, start + length)`, or -1 without a stamp of this run. */
  read(bytes: Buffer, start: number, length: number): number {
    const end = start + length;
    let at = start;
    if (!this.#isAt(bytes, start, end)) {
      at = bytes.subarray(start, end).indexOf(this.#runId);
      if (at < 0) return -1;
      at += start;
    }
    const digits = at + this.#runId.length;
    if (digits + DIGITS > end) return -1;
    for (let index = 0; index < bits.length; index++) {
      const value = hexAt(bytes, digits + 2 * index) * 16 + hexAt(bytes, digits + 2 * index + 1);
      if (Number.isNaN(value)) return -1;
      bits[index] = value;
    }
    return bits.readDoubleBE();
  }

  #isAt(bytes: Buffer, start: number, end: number): boolean {
    const runId = this.#runId;
    if (start + runId.length > end) return false;
    for (let index = 0; index < runId.length; index++) {
      if (bytes[start + index] !== runId[index]) return false;
    }
    return true;
  }
}

/** Returns the value of a lower-case hexadecimal digit. NaN for any other byte. */
function hexAt(bytes: Buffer, at: number): number {
  const byte = bytes[at]!;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  return byte >= 0x61 && byte <= 0x66 ? byte - 0x61 + 10 : NaN;
}
