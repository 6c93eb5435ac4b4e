/** Objects that are expensive to create, such as buffers of one size, kept for the next use. */
export class SparePool<T> {
  readonly #create: () => T;
  readonly #maxSpare: number;
  readonly #spare: T[] = [];

  /** @param maxSpare max objects that lie in the pool unused */
  constructor(maxSpare: number, create: () => T) {
    this.#create = create;
    this.#maxSpare = maxSpare;
  }

  /** Takes the object that was given back last, or creates one. */
  take(): T {
    return this.#spare.pop() ?? this.#create();
  }

  /**
   * Takes back an object that nobody uses any more.
   *
   * @returns false if the pool is full: the caller keeps the object, and may free it
   */
  give(object: T): boolean {
    if (this.#spare.length >= this.#maxSpare) return false;
    this.#spare.push(object);
    return true;
  }
}
