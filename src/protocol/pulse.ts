/** A worker's signs of life, in shared memory: its thread writes them, the primary reads them. */

const BEATS = 0;
const THREAD = 1;
const WORDS = 2;

/** The pulse of one worker's task. */
export class Pulse {
  /** What crosses to the other thread. */
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(memory = new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#words = new Int32Array(memory);
  }

  /** Says that the loop which carries the traffic has turned. */
  beat(): void {
    Atomics.add(this.#words, BEATS, 1);
  }

  /** Times that it has beaten, modulo 2^32: only whether it changes matters. */
  get beats(): number {
    return Atomics.load(this.#words, BEATS);
  }

  /** Says which thread runs the task. */
  identify(thread: number): void {
    Atomics.store(this.#words, THREAD, thread);
  }

  /** Node's id of the thread; 0 as long as none has taken the task. */
  get thread(): number {
    return Atomics.load(this.#words, THREAD);
  }
}
