import { threadId } from 'node:worker_threads';

const FREE = 0;
/**
 * Max time for a thread to hold the lock. After that it is stuck or terminated, and another thread takes the
 * lock.
 */
const MAX_HOLD_MS = 5000;

/** A lock between the threads of the process, in shared memory. Hold it briefly: waiting blocks a thread. */
export class ThreadLock {
  /** {@link FREE}, or 1 plus the ID of the thread that holds the lock. */
  readonly #word: Int32Array;
  readonly #maxHoldMs: number;

  /** @param memory at least 4 bytes, initially 0, shared by all threads */
  constructor(memory: SharedArrayBuffer, maxHoldMs = MAX_HOLD_MS) {
    this.#word = new Int32Array(memory, 0, 1);
    this.#maxHoldMs = maxHoldMs;
  }

  /** Waits for the lock, and calls a function while holding it. */
  hold<T>(act: () => T): T {
    const own = threadId + 1;
    this.#take(own);
    try {
      return act();
    } finally {
      // Another thread may have taken over the lock.
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
