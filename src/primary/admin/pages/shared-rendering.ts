interface SharingOptions {
  /** The least time between the beginnings of two renderings, which is also the greatest age of one. */
  readonly periodMs: number;
  readonly now?: () => number;
  readonly setTimer?: (run: () => void, ms: number) => void;
}

/** A page that costs time: rendered at most once in a period, for all who ask for it meanwhile. */
export class SharedRendering<T> {
  readonly #render: () => T | Promise<T>;
  readonly #periodMs: number;
  readonly #now: () => number;
  readonly #setTimer: (run: () => void, ms: number) => void;
  #last: { readonly at: number; readonly page: Promise<T> } | null = null;
  #next: PromiseWithResolvers<T> | null = null;

  constructor(render: () => T | Promise<T>, options: SharingOptions) {
    const { periodMs, now = () => performance.now(), setTimer = setUnreferenced } = options;
    this.#render = render;
    this.#periodMs = periodMs;
    this.#now = now;
    this.#setTimer = setTimer;
  }

  /** Returns the last rendering if it began less than a period ago, else a new one. */
  recent(): Promise<T> {
    return this.#last !== null && this.#remainingMs(this.#last.at) > 0 ? this.#last.page : this.#start();
  }

  /** Returns a rendering that begins after the call, for which the caller may have to wait until the period ends. */
  fresh(): Promise<T> {
    const remainingMs = this.#last === null ? 0 : this.#remainingMs(this.#last.at);
    if (remainingMs <= 0) return this.#start();
    if (this.#next === null) {
      const next = (this.#next = Promise.withResolvers<T>());
      this.#setTimer(() => {
        if (this.#next === next) void this.#start();
      }, remainingMs);
    }
    return this.#next.promise;
  }

  #remainingMs(at: number): number {
    return at + this.#periodMs - this.#now();
  }

  #start(): Promise<T> {
    const at = this.#now();
    const page = (async () => this.#render())();
    // Whoever waits for it hears of the failure.
    page.catch(() => undefined);
    this.#last = { at, page };
    this.#next?.resolve(page);
    this.#next = null;
    return page;
  }
}

/** A timer that fires too early by a fraction of a millisecond would find the period not over. */
function setUnreferenced(run: () => void, ms: number): void {
  setTimeout(run, Math.ceil(ms) + 1).unref();
}
