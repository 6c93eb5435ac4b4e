import type { NextTurn } from './slices.ts';

/** Max time for starts in one turn of the loop: others are served in between. */
const SLICE_MS = 2;

/** Min places in front of the line for it to move up. */
const MIN_MOVE = 1024;

/** Work that waits for a place, in at most one queue at a time. It gives the place back by {@link StartQueue.release}. */
interface Waiting {
  /** Its place in the queue's line; -1 if it does not wait. Only the queue writes it. */
  queuePlace: number;
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
  /**
   * The work that waits, in `[first, end)`; null where work has been removed. Not a JavaScript `Set`: V8 copies its table
   * again and again while members come and go. It never shrinks.
   */
  readonly #line: (Waiting | null)[] = [];
  #first = 0;
  #end = 0;
  #running = 0;
  #isScheduled = false;

  /** @param max max work under way at the same time */
  constructor(max: number, loop = LOOP) {
    this.#max = max;
    this.#loop = loop;
  }

  /** Adds work, which starts in a later turn of the loop. Does nothing if it waits already. */
  add(work: Waiting): void {
    if (work.queuePlace >= 0) return;
    work.queuePlace = this.#end;
    this.#line[this.#end++] = work;
    this.#schedule();
  }

  /** Removes work that has not started. Returns whether there was any. */
  remove(work: Waiting): boolean {
    if (work.queuePlace < 0) return false;
    this.#line[work.queuePlace] = null;
    work.queuePlace = -1;
    return true;
  }

  /** Notes that started work is over. */
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
      // One piece of work that fails must not stop all others for ever.
      this.#moveUp();
      this.#isScheduled = false;
      this.#schedule();
    }
  };

  /** Uses the places in front of the line again, as soon as they are half of it. */
  #moveUp(): void {
    const first = this.#first;
    const count = this.#end - first;
    if (count > 0 && (first < MIN_MOVE || first < count)) return;
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
