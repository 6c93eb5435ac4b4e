/**
 * The slots of a thread's part. Three belong to fan-out: deliveries so far, expected deliveries, and whether
 * all messages are published. The last belongs to a replay: clients played so far.
 */
const LIVE = {
  open: 0,
  messages: 1,
  failures: 2,
  delivered: 3,
  expected: 4,
  published: 5,
  played: 6,
} as const;
type LiveSlot = keyof typeof LIVE;

const SLOTS = 8;

/**
 * Counts that a run's threads share during the run, for the progress bar and for fan-out. Each thread writes
 * its own part of the memory, and any thread can sum.
 */
export class LivePage {
  readonly buffer: SharedArrayBuffer;
  readonly #values: Float64Array;
  readonly #threads: number;

  constructor(threads: number, buffer?: SharedArrayBuffer) {
    this.buffer = buffer ?? new SharedArrayBuffer(threads * SLOTS * Float64Array.BYTES_PER_ELEMENT);
    this.#values = new Float64Array(this.buffer);
    this.#threads = threads;
  }

  set(thread: number, slot: LiveSlot, value: number): void {
    this.#values[thread * SLOTS + LIVE[slot]] = value;
  }

  sum(slot: LiveSlot): number {
    let sum = 0;
    for (let thread = 0; thread < this.#threads; thread++) sum += this.#values[thread * SLOTS + LIVE[slot]]!;
    return sum;
  }
}
