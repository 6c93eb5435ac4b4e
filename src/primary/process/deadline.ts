/** A point in time that can be brought forward. */
export class Deadline {
  readonly passed: Promise<undefined>;
  readonly #pass: (nothing: undefined) => void;
  #at = Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.passed = promise;
    this.#pass = resolve;
  }

  /** Lets it pass in so many milliseconds, if it would not pass earlier. */
  shorten(ms: number): void {
    const at = performance.now() + ms;
    if (at >= this.#at) return;
    this.#at = at;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#pass, ms, undefined);
  }

  /** Never lets it pass. */
  cancel(): void {
    clearTimeout(this.#timer);
  }
}
