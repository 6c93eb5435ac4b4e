/** A worker's heartbeat in shared memory. The worker's thread writes it, the primary reads it. */

const BEATS = 0;
const THREAD = 1;
const WORDS = 2;

/** Heartbeat of one worker's task. */
export class Pulse {
  /** Memory to send to the other thread. */
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(memory = new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#words = new Int32Array(memory);
  }

  /** Counts one turn of the loop that carries traffic. */
  beat(): void {
    Atomics.add(this.#words, BEATS, 1);
  }

  /** Number of beats modulo 2^32. Only its changes matter. */
  get beats(): number {
    return Atomics.load(this.#words, BEATS);
  }

  /** Records the thread that runs the task. */
  identify(thread: number): void {
    Atomics.store(this.#words, THREAD, thread);
  }

  /** Node's id of the thread that runs the task; 0 until one does. */
  get thread(): number {
    return Atomics.load(this.#words, THREAD);
  }
}
