interface SharingOptions {
  /** Min time between the starts of two renderings, and max age of a rendering. */
  readonly periodMs: number;
  readonly now?: () => number;
  readonly setTimer?: (run: () => void, ms: number) => void;
}

/** Renders a page at most once in a period, for all requests of that period: a rendering costs CPU. */
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

  /** Returns a rendering that begins after the call, up to a period later. */
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
    // Without a handler a failure that nobody waits for would end the process.
    page.catch(() => undefined);
    this.#last = { at, page };
    this.#next?.resolve(page);
    this.#next = null;
    return page;
  }
}

/** Rounds up and adds 1 ms: timers fire a fraction of a millisecond early, before the period is over. */
function setUnreferenced(run: () => void, ms: number): void {
  setTimeout(run, Math.ceil(ms) + 1).unref();
}
