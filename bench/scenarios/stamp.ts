import { STAMP_LENGTH } from '../options/plan.ts';

const TICKS_PER_MS = 10_000;
const DIGITS = 16;
const ZERO = 0x30;

/**
 * What a fan-out message begins with: the run it belongs to, and a time. All of it is printable, so that it may
 * stand in a text message, and servers may put it into a message of their own.
 */
export class Stamp {
  readonly #runId: Buffer;

  /** @param runId 16 characters of ASCII */
  constructor(runId: string) {
    this.#runId = Buffer.from(runId, 'latin1');
    if (this.#runId.length !== STAMP_LENGTH - DIGITS) throw new RangeError('a run id has 16 characters');
  }

  /** Writes a time in milliseconds, to a tenth of a microsecond, at the begin of a message. */
  write(message: Buffer, time: number): void {
    this.#runId.copy(message);
    message.write(
      String(Math.round(time * TICKS_PER_MS)).padStart(DIGITS, '0'),
      this.#runId.length,
      'latin1',
    );
  }

  /** The time that stands in `bytes[start, start + length)`; -1 where there is none of this run. */
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
    let ticks = 0;
    for (let index = digits; index < digits + DIGITS; index++) {
      const digit = bytes[index]! - ZERO;
      if (digit < 0 || digit > 9) return -1;
      ticks = ticks * 10 + digit;
    }
    return ticks / TICKS_PER_MS;
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
