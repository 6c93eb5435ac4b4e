import type { NextTurn } from './slices.ts';

/** Max time for starts in one turn of the loop, so that others are served in between. */
const SLICE_MS = 2;

/** Min free entries at the start of the line before it is compacted. */
const MIN_COMPACTION = 1024;

/** Work that waits in at most one queue. After it has run, call {@link StartQueue.release}. */
interface Waiting {
  /** Position in the queue's line; -1 while it does not wait. Only the queue writes it. */
  queuePlace: number;
  /** Starts the work. If it throws, its place is free again, and the error ends the turn. */
  start(): void;
}

/** The queue's loop, replaceable in tests. */
interface QueueLoop {
  readonly nextTurn: NextTurn;
  /** Monotonic clock in milliseconds. */
  readonly now: () => number;
}

const LOOP: QueueLoop = {
  nextTurn: (run) => setImmediate(run),
  now: () => performance.now(),
};

/**
 * Starts work in order, with a limited number at the same time. Spreads many starts over turns of the loop,
 * so that ten thousand do not block it.
 */
export class StartQueue {
  readonly #max: number;
  readonly #loop: QueueLoop;
  /**
   * Waiting work is in `[first, end)`; null marks removed work. Not a JavaScript `Set`: V8 keeps copying its
   * table as work is added and removed. The line never shrinks.
   */
  readonly #line: (Waiting | null)[] = [];
  #first = 0;
  #end = 0;
  #running = 0;
  #isScheduled = false;

  /** @param max max work in progress */
  constructor(max: number, loop = LOOP) {
    this.#max = max;
    this.#loop = loop;
  }

  /** Adds work, which starts in a later turn of the loop. Does nothing if it is already waiting. */
  add(work: Waiting): void {
    if (work.queuePlace >= 0) return;
    work.queuePlace = this.#end;
    this.#line[this.#end++] = work;
    this.#schedule();
  }

  /** Removes work that has not started. Returns whether it was waiting. */
  remove(work: Waiting): boolean {
    if (work.queuePlace < 0) return false;
    this.#line[work.queuePlace] = null;
    work.queuePlace = -1;
    return true;
  }

  /** Frees the place of work that has ended. */
  release(): void {
    this.#running--;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#first === this.#end || this.#running >= this.#max) return;
    this.#isScheduled = true;
    this.#loop.nextTurn(this.#run);
  }

  readonly #run = (): void => {
    const endsAt = this.#loop.now() + SLICE_MS;
    try {
      while (this.#first < this.#end && this.#running < this.#max) {
        const work = this.#line[this.#first] ?? null;
        this.#line[this.#first++] = null;
        if (work === null) continue;
        work.queuePlace = -1;
        this.#start(work);
        if (this.#loop.now() >= endsAt) break;
      }
    } finally {
      // One failed start must not stop all others forever.
      this.#compact();
      this.#isScheduled = false;
      this.#schedule();
    }
  };

  /** Compacts the line once its free start is as long as the rest. */
  #compact(): void {
    const first = this.#first;
    const count = this.#end - first;
    if (count > 0 && (first < MIN_COMPACTION || first < count)) return;
    for (let place = 0; place < count; place++) {
      const work = this.#line[first + place] ?? null;
      this.#line[place] = work;
      this.#line[first + place] = null;
      if (work !== null) work.queuePlace = place;
    }
    this.#first = 0;
    this.#end = count;
  }

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
