import { IndexedHeap, type HeapItem } from '../../../src/core/collections/indexed-heap.ts';

/** An item with a due time. */
export interface Scheduled extends HeapItem {
  /** Due time. Only the timetable writes it. */
  dueAt: number;
  /** Called at the due time. */
  due(): void;
}

/** The clock and the timer of a {@link Timetable}. */
export interface TimetableClock {
  now(): number;
  /** Calls back after `ms` milliseconds, perhaps a little early. Returns a function that cancels the call. */
  after(ms: number, callback: () => void): () => void;
}

/** Max time of a timer. Node's limit is 2^31 ms. Longer waits need several timers. */
const MAX_TIMER_MS = 3_600_000;

/** Runs items at their due times with one timer. */
export class Timetable {
  readonly #clock: TimetableClock;
  readonly #heap = new IndexedHeap<Scheduled>((a, b) => a.dueAt < b.dueAt);
  #cancel: (() => void) | null = null;
  /** Time at which the timer fires. */
  #timerAt = Infinity;
  #stopped = false;

  constructor(clock: TimetableClock) {
    this.#clock = clock;
  }

  /** Sets an item's due time. Replaces an earlier one. */
  schedule(item: Scheduled, at: number): void {
    if (this.#stopped) return;
    item.dueAt = at;
    this.#heap.put(item);
    this.#arm();
  }

  /** Removes an item's due time. */
  cancel(item: Scheduled): void {
    this.#heap.delete(item);
  }

  /** Cancels all items, and ignores later ones. */
  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#cancel = null;
  }

  #arm(): void {
    const at = this.#heap.first?.dueAt ?? Infinity;
    if (at >= this.#timerAt) return;
    this.#cancel?.();
    this.#timerAt = at;
    this.#cancel = this.#clock.after(Math.min(MAX_TIMER_MS, Math.max(0, at - this.#clock.now())), this.#run);
  }

  readonly #run = (): void => {
    this.#cancel = null;
    this.#timerAt = Infinity;
    const now = this.#clock.now();
    for (let first = this.#heap.first; first !== undefined && first.dueAt <= now; first = this.#heap.first) {
      this.#heap.delete(first);
      first.due();
      if (this.#stopped) return;
    }
    this.#arm();
  };
}
