import type { NextTurn } from './slices.ts';

/** Max time for starts in one turn of the loop: others are served in between. */
const SLICE_MS = 2;

/** Work that waits for a place. It gives the place back by {@link StartQueue.release}. */
interface Waiting {
  /** Begins the work. If it throws, its place is free again, and the error ends the turn. */
  start(): void;
}

/** The loop of the queue; a test brings its own. */
interface QueueLoop {
  readonly nextTurn: NextTurn;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

const LOOP: QueueLoop = {
  nextTurn: (run) => setImmediate(run),
  now: () => performance.now(),
};

/**
 * Starts work in its order, a bounded number at the same time. Many starts at once are spread over turns of the loop, so that
 * ten thousand do not hold it.
 */
export class StartQueue {
  readonly #max: number;
  readonly #loop: QueueLoop;
  readonly #waiting = new Set<Waiting>();
  #running = 0;
  #isScheduled = false;

  /** @param max max work under way at the same time */
  constructor(max: number, loop = LOOP) {
    this.#max = max;
    this.#loop = loop;
  }

  /** Adds work, which starts in a later turn of the loop. */
  add(work: Waiting): void {
    this.#waiting.add(work);
    this.#schedule();
  }

  /** Removes work that has not started. Returns whether there was any. */
  remove(work: Waiting): boolean {
    return this.#waiting.delete(work);
  }

  /** Notes that started work is over. */
  release(): void {
    this.#running--;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#waiting.size === 0 || this.#running >= this.#max) return;
    this.#isScheduled = true;
    this.#loop.nextTurn(this.#run);
  }

  readonly #run = (): void => {
    const endsAt = this.#loop.now() + SLICE_MS;
    try {
      for (const work of this.#waiting) {
        if (this.#running >= this.#max) break;
        this.#waiting.delete(work);
        this.#start(work);
        if (this.#loop.now() >= endsAt) break;
      }
    } finally {
      // One piece of work that fails must not stop all others for ever.
      this.#isScheduled = false;
      this.#schedule();
    }
  };

  #start(work: Waiting): void {
    this.#running++;
    try {
      work.start();
    } catch (error) {
      this.#running--;
      throw error;
    }
  }
}
