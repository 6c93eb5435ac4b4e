/**
 * Bound of a cursor's random start. Random starts keep several proxies from all beginning with the same
 * endpoint.
 */
const MAX_START = 2 ** 16;

/** Allocates the memory of a cursor, shared by all threads. */
export function allocateCursor(random: () => number = Math.random): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  new Int32Array(memory)[0] = Math.floor(random() * MAX_START);
  return memory;
}

/** Counts turns over all threads that share its memory. */
export class SharedCursor {
  readonly #word: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#word = new Int32Array(memory);
  }

  /** Takes the next turn among `count` endpoints. Returns its index. */
  next(count: number): number {
    const word = this.#word;
    let found = Atomics.load(word, 0);
    for (;;) {
      const turn = found % count;
      // Keeps the value within one round: an ever-growing number would wrap in the middle of a round.
      const before = Atomics.compareExchange(word, 0, found, turn + 1);
      if (before === found) return turn;
      found = before;
    }
  }
}
