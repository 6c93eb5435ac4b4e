import { threadId } from 'node:worker_threads';

const FREE = 0;
/** A lock held for longer is taken away: its holder is stuck or terminated, and other threads must not hang as well. */
const MAX_HOLD_MS = 5000;

/** What only one thread of the process may do at a time, over a word of shared memory. Hold it for moments only. */
export class ThreadLock {
  /** {@link FREE}, or the id of the thread that holds it plus 1. */
  readonly #word: Int32Array;
  readonly #maxHoldMs: number;

  /** @param memory 4 bytes or more, 0 at the beginning, the same for all threads */
  constructor(memory: SharedArrayBuffer, maxHoldMs = MAX_HOLD_MS) {
    this.#word = new Int32Array(memory, 0, 1);
    this.#maxHoldMs = maxHoldMs;
  }

  /** Does something while no other thread holds the lock; the thread waits for its turn. */
  hold<T>(act: () => T): T {
    const own = threadId + 1;
    this.#take(own);
    try {
      return act();
    } finally {
      // Unless it was taken away meanwhile.
      if (Atomics.compareExchange(this.#word, 0, own, FREE) === own) Atomics.notify(this.#word, 0, 1);
    }
  }

  #take(own: number): void {
    for (;;) {
      const holder = Atomics.compareExchange(this.#word, 0, FREE, own);
      if (holder === FREE) return;
      if (Atomics.wait(this.#word, 0, holder, this.#maxHoldMs) !== 'timed-out') continue;
      if (Atomics.compareExchange(this.#word, 0, holder, own) === holder) return;
    }
  }
}
