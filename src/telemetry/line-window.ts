/** Bits of the first word that count lines. The others hold the second, which repeats after twelve days. */
const LINE_BITS = 12;
const SECONDS = 2 ** (32 - LINE_BITS);
const STATE = 0;
const SUPPRESSED = 1;
const COLLECTED = 2;
const WORDS = 3;

/** Allocates the memory of a {@link LineWindow}, for all threads. */
export function allocateLineWindow(): SharedArrayBuffer {
  return new SharedArrayBuffer(WORDS * Uint32Array.BYTES_PER_ELEMENT);
}

/** Bounds how many lines of one kind all threads together write in a second, and counts the others. */
export class LineWindow {
  readonly #words: Uint32Array;
  readonly #maxLines: number;

  /** @param maxLines in a second, below 4096 */
  constructor(memory: SharedArrayBuffer, maxLines: number) {
    this.#words = new Uint32Array(memory);
    this.#maxLines = maxLines;
  }

  /**
   * Asks to write a line; counts it as suppressed if it may not be written.
   *
   * @param second since 1970: all threads must read the same clock
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
   * Takes the count of suppressed lines, for the one line that tells it. Only one thread may tell it in a second.
   *
   * @returns null if another thread has told it in this second
   */
  collect(second: number): number | null {
    const words = this.#words;
    if (Atomics.load(words, SUPPRESSED) === 0) return 0;
    // A second of 0 is told apart from "never".
    const now = (second % SECONDS) + 1;
    const before = Atomics.load(words, COLLECTED);
    if (before === now || Atomics.compareExchange(words, COLLECTED, before, now) !== before) return null;
    return this.collectAll();
  }

  /** Takes the count of suppressed lines, whoever has told it when. */
  collectAll(): number {
    return Atomics.exchange(this.#words, SUPPRESSED, 0);
  }
}
