/** A worker's signs of life in shared memory. Its thread writes them, the primary reads them. */

const BEATS = 0;
const THREAD = 1;
const WORDS = 2;

/** The pulse of one worker's task. */
export class Pulse {
  /** The memory to send to the other thread. */
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(memory = new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#words = new Int32Array(memory);
  }

  /** Notes a turn of the loop that carries the traffic. */
  beat(): void {
    Atomics.add(this.#words, BEATS, 1);
  }

  /** Number of beats, modulo 2^32. Only a change of it matters. */
  get beats(): number {
    return Atomics.load(this.#words, BEATS);
  }

  /** Notes which thread runs the task. */
  identify(thread: number): void {
    Atomics.store(this.#words, THREAD, thread);
  }

  /** Node's id of the thread that runs the task; 0 before one does. */
  get thread(): number {
    return Atomics.load(this.#words, THREAD);
  }
}
