/** A rendering serves for 50 times as long as it took, so that renderings take at most 2% of the thread's time. */
const PERIODS_PER_COST = 50;

/** A page that readers get when its making has begun. */
interface Rendered {
  /** Resolves when the making has ended. */
  readonly ended: Promise<unknown>;
  /** Whether the page was given up: nobody else may have it. */
  readonly isGone: boolean;
}

interface SharingOptions {
  /** Min time between the starts of two renderings, however little they cost. */
  readonly minPeriodMs: number;
  /** Max time between the starts of two renderings, and max age of a rendering, unless it takes longer. */
  readonly maxPeriodMs: number;
  readonly now?: () => number;
  readonly setTimer?: (run: () => void, ms: number) => void;
}

/** Renders a page at most once in a period, for all requests of that period: a rendering costs CPU. */
export class SharedRendering<T extends Rendered> {
  readonly #render: () => T | Promise<T>;
  readonly #minPeriodMs: number;
  readonly #maxPeriodMs: number;
  readonly #now: () => number;
  readonly #setTimer: (run: () => void, ms: number) => void;
  #last: Promise<T> | null = null;
  /** The last page; null until it has begun. */
  #page: T | null = null;
  /** When the next rendering may begin. */
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

  /** Returns the last rendering if its period is not over, else a new one. */
  recent(): Promise<T> {
    if (this.#last === null || this.#page?.isGone === true) return this.fresh();
    return this.#now() < this.#dueAt ? this.#last : this.#start();
  }

  /** Returns a rendering that begins after the call, when the period of the last one is over. */
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
    // Handles a failure, too: one that nobody waits for would end the process.
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

  /** Does nothing while a rendering is being made: its end says when the next one is due. */
  #startNextWhenDue(): void {
    const next = this.#next;
    if (next === null || this.#dueAt === Infinity) return;
    this.#setTimer(() => {
      if (this.#next === next) void this.#start();
    }, this.#dueAt - this.#now());
  }
}

/** Rounds up and adds 1 ms: timers fire a fraction of a millisecond early, before the period is over. */
function setUnreferenced(run: () => void, ms: number): void {
  setTimeout(run, Math.ceil(ms) + 1).unref();
}
