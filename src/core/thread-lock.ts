const FREE = 0;
const HELD = 1;

/** What only one thread of the process may do at a time, over a word of shared memory. Hold it for moments only. */
export class ThreadLock {
  readonly #word: Int32Array;

  /** @param memory 4 bytes or more, 0 at the beginning, the same for all threads */
  constructor(memory: SharedArrayBuffer) {
    this.#word = new Int32Array(memory, 0, 1);
  }

  /** Does something while no other thread holds the lock; the thread waits for its turn. */
  hold<T>(act: () => T): T {
    while (Atomics.compareExchange(this.#word, 0, FREE, HELD) !== FREE) Atomics.wait(this.#word, 0, HELD);
    try {
      return act();
    } finally {
      Atomics.store(this.#word, 0, FREE);
      Atomics.notify(this.#word, 0, 1);
    }
  }
}
