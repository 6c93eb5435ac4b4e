import { IndexedHeap, type HeapItem } from '../../../src/core/collections/indexed-heap.ts';

/** An item of a {@link Timetable}. */
export interface Scheduled extends HeapItem {
  /** Time when the item is due. Only the timetable writes it. */
  dueAt: number;
  /** Called when the item is due. */
  due(): void;
}

/** The clock and timer of a {@link Timetable}. */
export interface TimetableClock {
  now(): number;
  /**
   * Calls back after `ms` milliseconds, perhaps slightly early. Returns a function that cancels the callback.
   */
  after(ms: number, callback: () => void): () => void;
}

/** Max time of a timer. Node's limit is 2^31 ms. A longer wait takes several timers. */
const MAX_TIMER_MS = 3_600_000;

/** Calls items at their due times, with a single timer. */
export class Timetable {
  readonly #clock: TimetableClock;
  readonly #heap = new IndexedHeap<Scheduled>((a, b) => a.dueAt < b.dueAt);
  #cancel: (() => void) | null = null;
  /** Time when the timer fires. */
  #timerAt = Infinity;
  #stopped = false;

  constructor(clock: TimetableClock) {
    this.#clock = clock;
  }

  /** Schedules an item, or changes its time. */
  schedule(item: Scheduled, at: number): void {
    if (this.#stopped) return;
    item.dueAt = at;
    this.#heap.put(item);
    this.#arm();
  }

  /** Removes an item. */
  cancel(item: Scheduled): void {
    this.#heap.delete(item);
  }

  /** Stops calling items. */
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
