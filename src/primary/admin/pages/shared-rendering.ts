/** A rendering is used for 50 times its duration, so renderings take at most 2% of the thread's time. */
const PERIODS_PER_COST = 50;

/** A page that readers can read once its rendering has begun. */
interface Rendered {
  /** Resolves when the rendering ends. */
  readonly ended: Promise<unknown>;
  /** Whether the page was dropped. No other reader may get it then. */
  readonly isDropped: boolean;
}

interface SharingOptions {
  /** Min time between the starts of two renderings, even if they are fast. */
  readonly minPeriodMs: number;
  /**
   * Max time between the starts of two renderings, and max age of a rendering, unless rendering takes longer.
   */
  readonly maxPeriodMs: number;
  readonly now?: () => number;
  readonly setTimer?: (run: () => void, ms: number) => void;
}

/**
 * Renders a page at most once per period, for all requests of that period, because rendering costs CPU time.
 */
export class SharedRendering<T extends Rendered> {
  readonly #render: () => T | Promise<T>;
  readonly #minPeriodMs: number;
  readonly #maxPeriodMs: number;
  readonly #now: () => number;
  readonly #setTimer: (run: () => void, ms: number) => void;
  #last: Promise<T> | null = null;
  /** The last page; null until its rendering has begun. */
  #page: T | null = null;
  /** When the next rendering may start. */
  #dueAt = -Infinity;
  #next: PromiseWithResolvers<T> | null = null;

  constructor(render: () => T | Promise<T>, options: SharingOptions) {
    const { minPeriodMs, maxPeriodMs, now = () => performance.now(), setTimer = setUnreferenced } = options;
    this.#render = render;
    this.#minPeriodMs = minPeriodMs;
    this.#maxPeriodMs = maxPeriodMs;
    this.#now = now;
    this.#setTimer = setTimer;
  }

  /** Returns the last rendering during its period, otherwise a new one. */
  recent(): Promise<T> {
    if (this.#last === null || this.#page?.isDropped === true) return this.fresh();
    return this.#now() < this.#dueAt ? this.#last : this.#start();
  }

  /** Returns a rendering that starts after this call. It waits for the end of the last rendering's period. */
  fresh(): Promise<T> {
    if (this.#now() >= this.#dueAt) return this.#start();
    if (this.#next === null) {
      this.#next = Promise.withResolvers<T>();
      this.#startNextWhenDue();
    }
    return this.#next.promise;
  }

  #start(): Promise<T> {
    const begun = this.#now();
    this.#dueAt = Infinity;
    const page = (async () => this.#render())();
    const next = this.#next;
    this.#last = page;
    this.#page = null;
    this.#next = null;
    const end = (): void => this.#end(begun);
    const ended = page.then((rendered) => {
      this.#page = rendered;
      return rendered.ended;
    });
    // This handles failures too: an unhandled rejection would end the process.
    ended.then(end, end);
    next?.resolve(page);
    return page;
  }

  #end(begun: number): void {
    const now = this.#now();
    const periodMs = PERIODS_PER_COST * (now - begun);
    const boundedMs = Math.min(Math.max(periodMs, this.#minPeriodMs), this.#maxPeriodMs);
    this.#dueAt = Math.max(now, begun + boundedMs);
    this.#startNextWhenDue();
  }

  /** Does nothing during a rendering: the end of the rendering sets the time of the next one. */
  #startNextWhenDue(): void {
    const next = this.#next;
    if (next === null || this.#dueAt === Infinity) return;
    this.#setTimer(() => {
      if (this.#next === next) void this.#start();
    }, this.#dueAt - this.#now());
  }
}

/** Rounds up and adds 1 ms: timers can fire a fraction of a millisecond early. */
function setUnreferenced(run: () => void, ms: number): void {
  setTimeout(run, Math.ceil(ms) + 1).unref();
}
