const FIRST_CAPACITY = 4;

/**
 * Send times of the messages in flight on one connection, oldest first. Grows as needed and never shrinks.
 */
export class SentRing {
  length = 0;
  #times = new Float64Array(FIRST_CAPACITY);
  #head = 0;

  push(time: number): void {
    if (this.length === this.#times.length) this.#grow();
    this.#times[(this.#head + this.length) & (this.#times.length - 1)] = time;
    this.length++;
  }

  /** The oldest time, or -1 if the ring is empty. */
  get first(): number {
    return this.length === 0 ? -1 : this.#times[this.#head]!;
  }

  /** Removes and returns the oldest time, or -1 if the ring is empty. */
  shift(): number {
    if (this.length === 0) return -1;
    const time = this.#times[this.#head]!;
    this.#head = (this.#head + 1) & (this.#times.length - 1);
    this.length--;
    return time;
  }

  /** Removes all times. */
  clear(): void {
    this.length = 0;
  }

  #grow(): void {
    const times = new Float64Array(this.#times.length * 2);
    for (let index = 0; index < this.length; index++) {
      times[index] = this.#times[(this.#head + index) & (this.#times.length - 1)]!;
    }
    this.#times = times;
    this.#head = 0;
  }
}
