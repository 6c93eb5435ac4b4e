/**
 * Bits of the first word for the count of lines. The other bits hold the second, which wraps around after
 * twelve days.
 */
const LINE_BITS = 12;
const SECONDS = 2 ** (32 - LINE_BITS);
const STATE = 0;
const SUPPRESSED = 1;
const COLLECTED = 2;
const WORDS = 3;

/** Allocates the memory of a {@link LineWindow} for all threads. */
export function allocateLineWindow(): SharedArrayBuffer {
  return new SharedArrayBuffer(WORDS * Uint32Array.BYTES_PER_ELEMENT);
}

/** Limits how many lines of one kind all threads together write per second, and counts suppressed lines. */
export class LineWindow {
  readonly #words: Uint32Array;
  readonly #maxLines: number;

  /** @param maxLines max lines per second, below 4096 */
  constructor(memory: SharedArrayBuffer, maxLines: number) {
    this.#words = new Uint32Array(memory);
    this.#maxLines = maxLines;
  }

  /**
   * Requests permission to write a line. Counts a refused line as suppressed.
   *
   * @param second seconds since 1970, from one clock for all threads
   */
  take(second: number): boolean {
    const words = this.#words;
    const empty = (second % SECONDS) * 2 ** LINE_BITS;
    let found = Atomics.load(words, STATE);
    for (;;) {
      const written = found >= empty && found < empty + 2 ** LINE_BITS ? found - empty : 0;
      if (written >= this.#maxLines) break;
      const before = Atomics.compareExchange(words, STATE, found, empty + written + 1);
      if (before === found) return true;
      found = before;
    }
    Atomics.add(words, SUPPRESSED, 1);
    return false;
  }

  /**
   * Takes the count of suppressed lines, for the log line that reports it. Only one thread per second may
   * report.
   *
   * @returns null if another thread reported in this second
   */
  collect(second: number): number | null {
    const words = this.#words;
    if (Atomics.load(words, SUPPRESSED) === 0) return 0;
    // Distinguishes second 0 from "never".
    const now = (second % SECONDS) + 1;
    const before = Atomics.load(words, COLLECTED);
    if (before === now || Atomics.compareExchange(words, COLLECTED, before, now) !== before) return null;
    return this.collectAll();
  }

  /** Takes the count of suppressed lines, even if another thread reported in this second. */
  collectAll(): number {
    return Atomics.exchange(this.#words, SUPPRESSED, 0);
  }
}
