import { IndexedHeap, type HeapItem } from '../../../src/core/collections/indexed-heap.ts';

/** One who has something to do at a time. */
export interface Scheduled extends HeapItem {
  /** When it is due. Only the timetable writes it. */
  dueAt: number;
  /** Called when its time is reached. */
  due(): void;
}

/** The clock and the timer of a {@link Timetable}. */
export interface TimetableClock {
  now(): number;
  /** Calls back after `ms` milliseconds, perhaps a little too early. Returns how to cancel it. */
  after(ms: number, callback: () => void): () => void;
}

/** Max time of a timer. Node's limit is 2^31 ms. Longer waits need several timers. */
const MAX_TIMER_MS = 3_600_000;

/** One timer for all that is due later. */
export class Timetable {
  readonly #clock: TimetableClock;
  readonly #heap = new IndexedHeap<Scheduled>((a, b) => a.dueAt < b.dueAt);
  #cancel: (() => void) | null = null;
  /** When the timer goes off. */
  #timerAt = Infinity;
  #stopped = false;

  constructor(clock: TimetableClock) {
    this.#clock = clock;
  }

  /** Makes an item due at a time, instead of the time that it had. */
  schedule(item: Scheduled, at: number): void {
    if (this.#stopped) return;
    item.dueAt = at;
    this.#heap.put(item);
    this.#arm();
  }

  /** Takes an item's time away. */
  cancel(item: Scheduled): void {
    this.#heap.delete(item);
  }

  /** Makes nothing due any more. */
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
