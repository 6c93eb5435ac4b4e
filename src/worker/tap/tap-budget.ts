/** The clocks of a thread, in milliseconds. */
export interface BudgetClock {
  /** Monotonic. */
  readonly now: () => number;
  /** CPU time of the thread. It costs a system call. */
  readonly cpu: () => number;
}

/**
 * Bounds the CPU time of a kind of work in each tick. What a tick leaves is saved up, so that rare work is never refused
 * because its code is cold. Work is measured by the monotonic clock, which is cheap but also runs while other processes
 * have the CPU: what is spent in a tick is at most the thread's CPU time of the tick.
 */
export class TapBudget {
  readonly #budgetMs: number;
  readonly #maxLeftMs: number;
  readonly #clock: BudgetClock;
  /** At the beginning of the tick. */
  #savedMs: number;
  /** CPU time of the thread at the beginning of the tick. */
  #cpuBefore: number;
  #spentMs = 0;
  #begunAt = 0;
  /** Whether `#spentMs` has been compared with the CPU time, and all is spent. */
  #isEmpty = false;

  /**
   * @param budgetMs milliseconds of each tick
   * @param ticks budgets that can be saved up: one tick may use them all
   */
  constructor(budgetMs: number, ticks: number, clock: BudgetClock) {
    this.#budgetMs = budgetMs;
    this.#maxLeftMs = this.#savedMs = budgetMs * ticks;
    this.#clock = clock;
    this.#cpuBefore = clock.cpu();
  }

  /**
   * Begins a piece of work. Returns false if nothing is left: then there must be none.
   *
   * @param overdraftMs what the work may use beyond that: later ticks pay for it
   */
  begin(overdraftMs = 0): boolean {
    if (this.#spentMs >= this.#savedMs + overdraftMs && this.#hasSpent(overdraftMs)) return false;
    this.#begunAt = this.#clock.now();
    return true;
  }

  /**
   * Whether the piece of work under way has used up what was left. It counts as ended and begun again.
   *
   * @param overdraftMs as for {@link begin}
   */
  isOver(overdraftMs = 0): boolean {
    const now = this.#clock.now();
    this.#spentMs += now - this.#begunAt;
    this.#begunAt = now;
    return this.#spentMs >= this.#savedMs + overdraftMs && this.#hasSpent(overdraftMs);
  }

  /** Ends a piece of work. */
  end(): void {
    this.#spentMs += this.#clock.now() - this.#begunAt;
  }

  /** Begins a tick. What the one before has used beyond what was left counts in this one. */
  renew(): void {
    if (this.#spentMs > this.#budgetMs) this.#measure();
    this.#savedMs = Math.min(this.#maxLeftMs, this.#savedMs - this.#spentMs + this.#budgetMs);
    this.#spentMs = 0;
    this.#isEmpty = false;
    this.#cpuBefore = this.#clock.cpu();
  }

  #hasSpent(overdraftMs: number): boolean {
    if (this.#isEmpty && overdraftMs === 0) return true;
    this.#measure();
    this.#isEmpty = this.#spentMs >= this.#savedMs;
    return this.#spentMs >= this.#savedMs + overdraftMs;
  }

  #measure(): void {
    this.#spentMs = Math.min(this.#spentMs, this.#clock.cpu() - this.#cpuBefore);
  }
}
