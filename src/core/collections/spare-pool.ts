/** Keeps objects that are expensive to create, such as buffers of one size, for reuse. */
export class SparePool<T> {
  readonly #create: () => T;
  readonly #maxSpare: number;
  readonly #spare: T[] = [];

  /** @param maxSpare max unused objects in the pool */
  constructor(maxSpare: number, create: () => T) {
    this.#create = create;
    this.#maxSpare = maxSpare;
  }

  /** Takes the object returned last, or creates one. */
  take(): T {
    return this.#spare.pop() ?? this.#create();
  }

  /**
   * Returns an unused object to the pool.
   *
   * @returns false if the pool is full: the caller keeps the object, and may free it
   */
  give(object: T): boolean {
    if (this.#spare.length >= this.#maxSpare) return false;
    this.#spare.push(object);
    return true;
  }
}
