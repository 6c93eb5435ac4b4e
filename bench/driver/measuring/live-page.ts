/**
 * Slots of a thread's part. `delivered`, `expected` and `published` belong to fan-out. `published` is 1 once
 * no message remains to be published. `played` belongs to a replay: clients played so far.
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
 * Live counts of a run in shared memory, for the progress bar and for fan-out. Each thread writes its own
 * part. Any thread can read the sums.
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
