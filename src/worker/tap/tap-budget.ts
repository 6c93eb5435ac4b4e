/** Debt that a budget carries into the next tick at most, in budgets: the machine may have stopped meanwhile. */
const MAX_DEBT = 20;

/** Bounds the CPU time of a kind of work in each tick. */
export class TapBudget {
  readonly #budgetMs: number;
  readonly #now: () => number;
  #spentMs = 0;
  #begunAt = 0;

  /**
   * @param budgetMs milliseconds of each tick
   * @param now milliseconds, monotonic
   */
  constructor(budgetMs: number, now: () => number) {
    this.#budgetMs = budgetMs;
    this.#now = now;
  }

  /** Begins a piece of work. Returns false if nothing is left: then there must be none. */
  begin(): boolean {
    if (this.#spentMs >= this.#budgetMs) return false;
    this.#begunAt = this.#now();
    return true;
  }

  /** Whether the piece of work under way has used up what was left. */
  isOver(): boolean {
    return this.#spentMs + this.#now() - this.#begunAt >= this.#budgetMs;
  }

  /** Ends a piece of work. */
  end(): void {
    this.#spentMs += this.#now() - this.#begunAt;
  }

  /** Begins a tick. What the one before has used beyond its budget counts in this one. */
  renew(): void {
    this.#spentMs = Math.min(Math.max(0, this.#spentMs - this.#budgetMs), MAX_DEBT * this.#budgetMs);
  }
}
